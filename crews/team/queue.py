"""Who may use which model host next: people before background work.

A CPU answers one question at a time, and reading a prompt cannot be interrupted there. So a call waits for its turn
here instead of being started and cancelled, and a background run yields between its calls to a person who asks. This
is the queue of one process; ``people.py`` tells of persons who ask in another.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum

from crews.team.budget import Monotonic

POLL_SECONDS = 0.1
"""How often a waiting call looks whether it was cancelled."""


class Priority(IntEnum):
    """Smaller goes first."""

    PERSON = 0
    BACKGROUND = 10


class HostQueue:
    """One turn per host at a time. Waiting calls are served by priority, then by arrival."""

    def __init__(self, hosts: Sequence[str], clock: Monotonic = time.monotonic) -> None:
        if not hosts:
            raise ValueError("a queue needs at least one host")
        self._clock = clock
        self._free = list(hosts)
        self._waiting: list[tuple[int, int]] = []
        self._arrivals = itertools.count()
        self._changed = threading.Condition()

    @property
    def waiting(self) -> int:
        """How many calls wait for a turn."""
        with self._changed:
            return len(self._waiting)

    @contextmanager
    def turn(self, priority: Priority, seconds: float, stopped: Callable[[], bool]) -> Iterator[str | None]:
        """Gives the host to use, or None when ``seconds`` passed or ``stopped()`` became true while waiting."""
        host = self._wait(priority, seconds, stopped)
        try:
            yield host
        finally:
            if host is not None:
                with self._changed:
                    # To the front: the host used last holds the common beginning of our prompts in its cache.
                    self._free.insert(0, host)
                    self._changed.notify_all()

    def _wait(self, priority: Priority, seconds: float, stopped: Callable[[], bool]) -> str | None:
        until = self._clock() + seconds
        with self._changed:
            ticket = (int(priority), next(self._arrivals))
            heapq.heappush(self._waiting, ticket)
            try:
                while not (self._free and self._waiting[0] == ticket):
                    left = until - self._clock()
                    if left <= 0 or stopped():
                        return None
                    self._changed.wait(min(left, POLL_SECONDS))
                return self._free.pop(0)
            finally:
                self._waiting.remove(ticket)
                heapq.heapify(self._waiting)
                self._changed.notify_all()
