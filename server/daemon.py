"""`crew serve`: one process that owns the data folder, runs the crews on schedule and answers over HTTP.

Order of starting: what can be refused comes first (open door, folder in use, port taken, database), so that a
wrong start changes nothing. Order of stopping: no new runs, running ones get some seconds, then HTTP, then the lock.
What had to be left behind is safe: an action is recorded before it is sent, and the next start asks what became of it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import structlog

from crews.mcp.servers import refuse_mistakes
from crews.runtime.context import CrewContext
from crews.runtime.data_files import refuse_broken_files
from crews.runtime.registry import CREWS, Crew
from crews.runtime.schedule import SCHEDULE_FILE, Appointment, load
from crews.runtime.systems import Systems
from opscrew.actions.policy import check_settings
from opscrew.clock import Clock, utc_now
from opscrew.errors import CrewError
from opscrew.metrics import Metrics
from opscrew.settings import HOW_TO_CONFIGURE, NOTHING_CONFIGURED, Settings
from opscrew.store.database import open_database
from opscrew.store.owner import DataFolderLock
from server.context import ServerContext
from server.http.app import create_app
from server.http.hosts import refuse_open_door
from server.http.serving import HttpThread, bind, url_of
from server.scheduler import CrewScheduler

log = structlog.get_logger(__name__)

WATCH_EVERY = 2.0
"""Seconds between looks at overruns, the clock and the HTTP thread."""


def serve(
    settings: Settings,
    *,
    crews: Sequence[Crew] = CREWS,
    appointments: Sequence[Appointment] | None = None,
    clock: Clock = utc_now,
    ready: Callable[[str], None] = lambda url: None,
) -> int:
    """Runs until SIGTERM or SIGINT; returns the exit code. ``ready`` is told the address once everything runs."""
    refuse_open_door(settings.http)
    check_settings(settings)
    refuse_mistakes(settings)
    refuse_broken_files(settings)
    if appointments is None:
        appointments = load(settings.schedule or SCHEDULE_FILE, [crew.name for crew in crews])
    stop = _stop_on_signals()
    with ExitStack() as closing:
        lock = closing.enter_context(DataFolderLock(settings.data_dir, clock()))
        listener = bind(settings.http.host, settings.http.port)
        closing.callback(listener.close)
        engine = open_database(settings.database_url)
        closing.callback(engine.dispose)
        metrics = Metrics()
        systems = closing.enter_context(Systems(settings, clock, metrics))
        context = CrewContext(settings=settings, engine=engine, clock=clock, metrics=metrics, systems=systems)
        scheduler = CrewScheduler(context, crews, appointments)
        application = create_app(ServerContext(context, scheduler, started_at=clock()))
        web = closing.enter_context(HttpThread(application, listener))
        scheduler.start()
        lock.tell_address(url_of(listener))
        if settings.watches_nothing:
            log.warning(NOTHING_CONFIGURED, hint=HOW_TO_CONFIGURE)
        log.info("crew serves", url=url_of(listener), data=str(settings.data_dir), crews=len(scheduler.states()))
        ready(url_of(listener))
        died = _watch(stop, scheduler, web)
        left = scheduler.stop(settings.stop_seconds)
    return _end(died, left)


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)  # asked twice: at once. Nothing is lost that kill -9 would not lose.
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


def _watch(stop: threading.Event, scheduler: CrewScheduler, web: HttpThread) -> bool:
    """Returns when asked to stop (False), or when the HTTP thread died and a fresh start is better (True)."""
    while not stop.wait(WATCH_EVERY):
        try:
            scheduler.watch()
        except Exception:  # the watch must outlive a full disk; what it saw it will see again
            log.exception("the watch over the crews failed this time")
        if not web.alive:
            log.error("the HTTP server ended by itself")
            return True
    log.info("stopping")
    return False


def _end(died: bool, left: tuple[str, ...]) -> int:
    if died:
        raise CrewError("the HTTP server ended by itself", "Start `crew serve` again; the log says why it ended.")
    if left:
        # Python would wait for their threads for as long as they take.
        log.warning("left running crews behind", crews=list(left))
        sys.stderr.flush()
        os._exit(0)
    log.info("stopped")
    return 0
