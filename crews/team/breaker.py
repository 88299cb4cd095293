"""Leaves a model alone that keeps failing, so that answers come at once with facts instead of after every timeout."""

from __future__ import annotations

import threading
import time

from crews.team.budget import Monotonic


class Breaker:
    """Opens after ``failures`` in a row, rests, lets one call through to try, and rests twice as long if that fails."""

    def __init__(
        self,
        *,
        failures: int = 3,
        rest_seconds: float = 30,
        longest_rest_seconds: float = 300,
        clock: Monotonic = time.monotonic,
    ) -> None:
        self._limit = failures
        self._first_rest = rest_seconds
        self._longest_rest = longest_rest_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._failed = 0
        self._rest = rest_seconds
        self._open_until = 0.0
        self._trying = False
        self.last_error = ""

    @property
    def seconds_left(self) -> float:
        """Until the next call is let through; 0 when calls are allowed."""
        with self._lock:
            return max(0.0, self._open_until - self._clock())

    def allows(self) -> bool:
        """Whether a call may be made now. While the breaker is half open only one caller hears yes."""
        with self._lock:
            if self._failed < self._limit:
                return True
            if self._clock() < self._open_until or self._trying:
                return False
            self._trying = True
            return True

    def succeeded(self) -> None:
        with self._lock:
            self._failed, self._rest, self._open_until, self._trying = 0, self._first_rest, 0.0, False
            self.last_error = ""

    def failed(self, error: str) -> None:
        with self._lock:
            self.last_error = error
            self._failed += 1
            self._trying = False
            if self._failed >= self._limit:
                self._open_until = self._clock() + self._rest
                self._rest = min(self._rest * 2, self._longest_rest)

    def gave_up(self) -> None:
        """The call ended without telling anything about the model (cancelled, out of time while others were served)."""
        with self._lock:
            self._trying = False
