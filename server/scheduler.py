"""The schedule at work: starts each crew at its time, wakes one early, watches for overruns and clock jumps.

APScheduler keeps the times; ``server/job.py`` guarantees that no crew runs twice at once. Times live in memory only:
what was missed while the daemon was down follows from the recorded runs.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from crews.runtime.context import CrewContext
from crews.runtime.registry import Crew
from crews.runtime.running import note_overrun, run_crew
from crews.runtime.schedule import Appointment
from opscrew.store.runs import latest_runs
from server.job import Job
from server.triggers import trigger_of, was_missed

log = structlog.get_logger(__name__)

CLOCK_JUMP_SECONDS = 30.0
"""A wall clock that moved this much more or less than real time was set, or the machine slept."""


@dataclass(frozen=True)
class JobState:
    """What the status page shows of one crew. ``missing`` names the settings without which it is off."""

    crew: str
    title: str
    next_run: datetime | None = None
    running_seconds: float | None = None
    missing: tuple[str, ...] = ()


class CrewScheduler:
    """Start once, ``watch()`` every few seconds, ``stop()`` once."""

    def __init__(self, context: CrewContext, crews: Sequence[Crew], appointments: Sequence[Appointment]) -> None:
        self._context = context
        self._crews = {crew.name: crew for crew in crews}
        self._stopping = threading.Event()
        self._jobs: dict[str, Job] = {}
        self._off: dict[str, tuple[str, ...]] = {}
        for appointment in appointments:
            self._add(appointment)
        # Two threads for each job: one may run, and the timer's next call must find a thread in order to see that.
        threads = max(1, 2 * len(self._jobs))
        self._timer = BackgroundScheduler(
            timezone=context.settings.zone, executors={"default": ThreadPoolExecutor(threads)}
        )
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._clocks = (context.clock(), time.monotonic())

    def _add(self, appointment: Appointment) -> None:
        crew = self._crews[appointment.crew]
        missing = tuple(part for part in crew.needs if not getattr(self._context.settings, part))
        if missing:
            self._off[crew.name] = missing
            return
        context, deadline = self._context, appointment.deadline
        self._jobs[crew.name] = Job(
            crew, appointment, lambda: run_crew(crew, context, deadline=deadline), stopping=self._stopping
        )

    @property
    def running(self) -> bool:
        """Whether crews are being started at their times."""
        return bool(self._timer.running) and not self._stopping.is_set()

    def start(self) -> None:
        """Intervals start right away; a time of day waits, unless its last one was missed."""
        self._load_crews()
        zone, now = self._context.settings.zone, self._context.clock()
        for name, job in self._jobs.items():
            trigger = trigger_of(job.appointment, zone)
            at_once = job.appointment.every is not None or was_missed(trigger, self._last_start(name), now, zone)
            # Late is better than never, and many missed times are one run. Two instances, because the job itself
            # refuses the second one: APScheduler would still count a run for a moment after it has ended, and
            # drop a wake that falls into that moment.
            options = {"id": name, "coalesce": True, "max_instances": 2, "misfire_grace_time": None}
            if at_once:
                options["next_run_time"] = now
            self._timer.add_job(job, trigger, **options)
        self._timer.start()

    def _load_crews(self) -> None:
        """One after another. Crews that start together would import together, and Python hands threads that wait for
        each other's imports a half-made module."""
        for name, job in self._jobs.items():
            try:
                job.crew.load()
            except Exception:  # the others still run; this one's own run fails of it, and that is a finding
                log.exception("a crew could not be loaded", crew=name)

    def wake(self, crew: str) -> bool:
        """Runs a crew now, or once more after the present run. False when it is not on the schedule."""
        job = self._jobs.get(crew)
        if job is None or not self.running:
            return False
        if job.ask():
            self._timer.modify_job(crew, next_run_time=self._context.clock())
        return True

    def watch(self) -> None:
        """Looks for runs past their deadline, and for a wall clock that was set."""
        for job in self._jobs.values():
            seconds = job.new_overrun()
            if seconds is not None:
                note_overrun(job.crew, self._context, job.appointment.deadline, seconds)
        wall, real = self._context.clock(), time.monotonic()
        drift = (wall - self._clocks[0]).total_seconds() - (real - self._clocks[1])
        self._clocks = (wall, real)
        if abs(drift) > CLOCK_JUMP_SECONDS:
            self._after_clock_jump(drift, wall)

    def states(self) -> list[JobState]:
        """Every scheduled crew, in the schedule's order; then those that are off."""
        on = [
            JobState(name, job.crew.title, self._next_run(name), job.running_seconds())
            for name, job in self._jobs.items()
        ]
        off = [JobState(name, self._crews[name].title, missing=missing) for name, missing in self._off.items()]
        return on + off

    def stop(self, grace_seconds: float) -> tuple[str, ...]:
        """Starts nothing more and waits for running crews. Returns the names of those that had to be left."""
        self._stopping.set()
        if self._timer.running:
            self._timer.shutdown(wait=False)
        end = time.monotonic() + grace_seconds
        return tuple(name for name, job in self._jobs.items() if not job.wait_until_idle(end - time.monotonic()))

    def _after_clock_jump(self, drift: float, now: datetime) -> None:
        log.warning("the clock was set or the machine slept", seconds=round(drift))
        if drift < 0:  # an interval's next time would lie that far ahead
            for name, job in self._jobs.items():
                if job.appointment.every is not None:
                    self.wake(name)
                else:
                    trigger = trigger_of(job.appointment, self._context.settings.zone)
                    self._timer.modify_job(name, next_run_time=trigger.get_next_fire_time(None, now))
        self._timer.wakeup()  # after a sleep it would still wait for the rest of its pause

    def _last_start(self, crew: str) -> datetime | None:
        runs = latest_runs(self._context.engine, crew, limit=1)
        return runs[0].started_at if runs else None

    def _next_run(self, name: str) -> datetime | None:
        job = self._timer.get_job(name)
        return getattr(job, "next_run_time", None) if job else None
