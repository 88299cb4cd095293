"""One daemon for each data folder: a lock that the operating system releases when the process is gone.

Two daemons would poll twice and answer each other's webhooks. Actions stay safe even then, since the database decides
who sends one; but a second daemon on the same folder is always a mistake, so it is told so.

The lock is ``flock`` on ``crew.lock``. It holds within one machine; network file systems may ignore it.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opscrew.errors import CrewError
from opscrew.file_lock import lock_within
from opscrew.private_files import narrow_below, private_folder
from opscrew.reading_time import minute

LOCK_NAME = "crew.lock"

WAIT_SECONDS = 0.5
"""`crew doctor` holds a shared lock for an instant while it looks; that must not fail a start."""


class DataFolderLock:
    """A context manager. The file tells people who holds it: pid, host, since when and at which address."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.path = folder / LOCK_NAME
        self._about: dict[str, Any] = {"pid": os.getpid(), "host": socket.gethostname(), "since": now.isoformat()}
        self._file: int | None = None

    def __enter__(self) -> Self:
        try:
            private_folder(self.path.parent)
            # Not truncated on opening: until the lock is ours, the content is the owner's.
            opened = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as problem:
            raise CrewError(
                f"cannot make the lock file {self.path}: {problem.strerror}",
                "Set CREW_DATA_DIR to a folder that you may write.",
            ) from problem
        if not lock_within(opened, WAIT_SECONDS):
            os.close(opened)
            raise CrewError(
                f"the data folder {self.path.parent} is in use by {describe(read_owner(self.path.parent))}",
                "Stop that process first, or set CREW_DATA_DIR to another folder.",
            )
        self._file = opened
        narrow_below(self.path.parent)
        self._write()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)  # releases the lock
            self._file = None

    def tell_address(self, url: str) -> None:
        """Adds where the daemon listens, for `crew doctor` and for whoever finds the folder in use."""
        self._about["url"] = url
        self._write()

    def _write(self) -> None:
        assert self._file is not None, "written only while the lock is held"
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, json.dumps(self._about).encode() + b"\n", 0)


def read_owner(folder: Path) -> dict[str, Any] | None:
    """Who holds the folder now, or None. An unreadable file of a live owner gives an empty dict."""
    path = folder / LOCK_NAME
    try:
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _parsed(file.read(4096))
    except OSError:
        return None
    return None  # nobody held it: what the file says is about a process that is gone


def describe(owner: dict[str, Any] | None) -> str:
    """The owner in a few words."""
    if not owner:
        return "another crew process"
    where = f", {owner['url']}" if owner.get("url") else ""
    return f"process {owner.get('pid')} on {owner.get('host')} since {_since(owner.get('since'))}{where}"


def _since(written: Any) -> str:
    try:
        return minute(datetime.fromisoformat(str(written)))
    except ValueError:
        return "an unknown time"


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        value = json.loads(content)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
