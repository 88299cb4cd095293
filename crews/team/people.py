"""Lets background work see that a person asks, in whichever process: the daemon and `crew ask` share a model host.

Each process has a queue of its own, so the queue alone would let the daemon answer first whoever asks beside it. The
lock on a file in the data folder is let go by the system when a process dies, however it dies.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from opscrew.file_lock import lock_within

SECONDS_FOR_THE_LOCK = 1.0
LOOKS = 3
SECONDS_BETWEEN_LOOKS = 0.005
"""Two who look at the same moment stand in each other's way; a person is still there at the third look."""


class People:
    """Of one data folder. Where nothing can be written there, nobody is seen."""

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / "model" / "people.lock"

    @contextmanager
    def asking(self) -> Iterator[None]:
        """A person waits for an answer."""
        handle = self._open()
        try:
            if handle is not None:
                lock_within(handle, SECONDS_FOR_THE_LOCK, shared=True)  # without it a person is only not seen waiting
            yield
        finally:
            if handle is not None:
                os.close(handle)

    def ask_now(self) -> bool:
        """Whether somebody waits, in this process or another."""
        for look in range(LOOKS):
            if look:
                time.sleep(SECONDS_BETWEEN_LOOKS)
            handle = self._open()
            if handle is None:
                return False
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            except BlockingIOError:
                continue
            finally:
                os.close(handle)
        return True

    def _open(self) -> int | None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
