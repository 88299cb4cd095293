"""A lock on an open file that is waited for with an end: whoever holds it may hang."""

from __future__ import annotations

import fcntl
import time

SECONDS_BETWEEN_TRIES = 0.1


def lock_within(file: int, seconds: float, *, shared: bool = False) -> bool:
    """Whether the lock on an open file could be had in that time. No lock is waited for without an end."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return True
