"""One crew under the daemon's care: never twice at once, and run again when somebody asks while it runs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta

from crews.runtime.registry import Crew
from crews.runtime.schedule import Appointment

PAUSE_BETWEEN_WAKES = 1.0
"""Seconds. Webhooks come in bursts (one per step); a burst should cost one more run, not one each."""


class Job:
    """Called by the timer, from any thread. ``run`` must not raise (``crews.runtime.running.run_crew`` does not)."""

    def __init__(
        self,
        crew: Crew,
        appointment: Appointment,
        run: Callable[[], object],
        *,
        stopping: threading.Event,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        self.crew = crew
        self.appointment = appointment
        self._run = run
        self._stopping = stopping
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._idle = threading.Event()
        self._idle.set()
        self._started: float | None = None
        self._wanted = False
        self._overrun_told = False

    def __call__(self) -> None:
        if not self._begin():
            return
        self._run()
        while not self._ended():
            if not self._stopping.wait(PAUSE_BETWEEN_WAKES):
                self._restart_stopwatch()
                self._run()

    def ask(self) -> bool:
        """Notes that a run is wanted now. True when none is going on, so that the caller has to start one."""
        with self._lock:
            self._wanted = True
            return self._started is None

    def running_seconds(self) -> float | None:
        """How long the present run has been going, or None."""
        with self._lock:
            return None if self._started is None else self._stopwatch() - self._started

    def new_overrun(self) -> float | None:
        """Seconds the present run has taken, the first time it is found past its deadline; else None."""
        with self._lock:
            if self._started is None or self._overrun_told:
                return None
            seconds = self._stopwatch() - self._started
            if timedelta(seconds=seconds) <= self.appointment.deadline:
                return None
            self._overrun_told = True
            return seconds

    def wait_until_idle(self, seconds: float) -> bool:
        """Waits for the end of the present run, at most that long. True when nothing runs."""
        return self._idle.wait(max(0.0, seconds))

    def _begin(self) -> bool:
        with self._lock:
            if self._started is not None or self._stopping.is_set():
                return False
            self._started = self._stopwatch()
            self._wanted = self._overrun_told = False
            self._idle.clear()
            return True

    def _ended(self) -> bool:
        """Ends the run, unless somebody asked for another one meanwhile. One step, so that no wake falls between."""
        with self._lock:
            if self._wanted and not self._stopping.is_set():
                self._wanted = False
                return False
            self._started = None
            self._idle.set()
            return True

    def _restart_stopwatch(self) -> None:
        with self._lock:
            self._started = self._stopwatch()
            self._overrun_told = False
