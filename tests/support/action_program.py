"""A small process that proposes actions and carries them out, and kills itself at the step it is told.

Processes are forked from a clean server that has everything imported, so that starting one costs milliseconds.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from datetime import timedelta
from typing import Any

from crews.actions.rerun_pipeline import RerunPipeline
from demo.bitbucket.world import TOKEN
from opscrew.actions.execution import UNFINISHED, Execution
from opscrew.actions.sending import Timing
from opscrew.actions.uptime import Uptime, UptimeSource, machine_uptime
from opscrew.clock import Clock, utc_now
from opscrew.model.action import Action
from opscrew.store.database import open_database
from tests.support.actions import settings_for_actions
from tests.support.bitbucket import http_client
from tools.bitbucket.client import BitbucketClient

TIMING = Timing(settle=timedelta(seconds=0.2), look_for=timedelta(seconds=0.2), looks=2, attempts=20)
"""The sandbox is done with a request when its answer is lost. The lease stays long: on a busy machine a living sender
may be silent for seconds. That one is dead is seen by a clock that is ``later``."""
PATIENCE = 120.0
NOW = timedelta(0)


def carry_out(url: str, database: str, die_at: str, proposals: list[Action], later: timedelta = NOW) -> list[str]:
    """Proposes, then advances until everything is sent; returns the states at the end. Its clock is ``later``."""

    def checkpoint(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_database(database)
    client = BitbucketClient(url, "acme", clock=utc_now, token=TOKEN, http=http_client())
    clock, uptime = _set_forward(later)
    execution = Execution(engine, settings_for_actions(), clock, uptime, timing=TIMING, checkpoint=checkpoint)
    try:
        for action in proposals:
            execution.propose(action)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            execution.advance([RerunPipeline(client)])
            if not [one for one in execution.list(UNFINISHED) if one.state != "sent"]:
                break
            time.sleep(0.05)
        return [record.state.value for record in execution.list()]
    finally:
        client.close()
        engine.dispose()


def _set_forward(later: timedelta) -> tuple[Clock, UptimeSource]:
    def uptime() -> Uptime | None:
        known = machine_uptime()
        return known and Uptime(known.boot, known.seconds + later.total_seconds())

    return lambda: utc_now() + later, uptime


def start_process(url: str, database: str, die_at: str, proposals: list[Action], later: timedelta = NOW) -> Any:
    """A process of its own that carries them out; ``.pid``, ``.join()`` and ``.exitcode`` as in multiprocessing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    lines = [action.model_dump_json() for action in proposals]
    process = context.Process(target=_main, args=(url, database, die_at, lines, later, os.environ["CREW_DATA_DIR"]))
    process.start()
    return process


def _main(url: str, database: str, die_at: str, lines: list[str], later: timedelta, data_dir: str) -> None:
    os.environ["CREW_DATA_DIR"] = data_dir  # the server that forked us was started by another test
    carry_out(url, database, die_at, [Action.model_validate_json(line) for line in lines], later)
