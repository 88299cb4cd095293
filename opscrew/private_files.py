"""Who may read what the crew keeps: its own account alone. Conversations, findings and vectors tell about a company.

Three lines of defence. ``keep_files_private`` makes the process create everything for its own account alone, libraries'
files included. ``private_folder`` makes the data folder, or narrows one that an earlier version made wider.
``wide_files`` finds what others may read all the same, for `crew doctor`: a folder that somebody else owns, as a volume
in Kubernetes, or one that holds other programs' files, is not ours to change.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

OTHERS = 0o077
"""Every right of the group and of everybody."""

OURS = (
    *("crew.db", "crew.db-wal", "crew.db-shm", "crew.lock", "audit.anchor", "audit.lock", "audit.new"),
    *("index", "models", "model", "mcp", "crewai"),
)
"""What lies in a data folder, by name. A folder that holds anything else may be shared with other programs."""


OF_THE_FILE_SYSTEM = ("lost+found",)
"""What a fresh volume holds."""


def keep_files_private() -> None:
    """For the whole process and its children, from now on."""
    os.umask(OTHERS)


def private_folder(folder: Path) -> None:
    """Makes it with its parents, and narrows it where it is ours. Raises ``OSError`` when it cannot be made."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(OSError):
        if all(entry.name in (*OURS, *OF_THE_FILE_SYSTEM) for entry in os.scandir(folder)):
            _narrow(folder.resolve())  # it may be a link to a volume


def private_database(path: Path) -> None:
    """Makes an empty file, or narrows the one that is there. SQLite gives a new log of changes the same rights, and
    goes on with an old one as it is."""
    with suppress(OSError):  # who opens it next says in its own words what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for suffix in ("", "-wal", "-shm", "-journal"):
        with suppress(OSError):
            _narrow(path.with_name(path.name + suffix))


def narrow_below(folder: Path) -> None:
    """The crew's own files and folders inside the data folder; links are not followed."""
    for path in _own(folder):
        with suppress(OSError):
            _narrow(path)


def narrow_all(folder: Path) -> None:
    """A folder that is the crew's alone, with all that is in it."""
    for path in (folder, *folder.rglob("*")):
        with suppress(OSError):
            _narrow(path)


def wide_files(folder: Path) -> list[Path]:
    """The folder itself and what is ours in it, as far as others have rights."""
    found = []
    for path in (folder.resolve(), *_own(folder)):
        with suppress(OSError):
            if path.lstat().st_mode & OTHERS and not path.is_symlink():
                found.append(path)
    return found


def _own(folder: Path) -> Iterator[Path]:
    for name in OURS:
        path = folder / name
        yield path
        if path.is_dir() and not path.is_symlink():
            yield from path.rglob("*")


def _narrow(path: Path) -> None:
    about = path.lstat()
    # A folder with the sticky bit is everybody's, like /tmp.
    shared = stat.S_ISLNK(about.st_mode) or about.st_mode & stat.S_ISVTX
    if about.st_mode & OTHERS and about.st_uid == os.geteuid() and not shared:
        path.chmod(stat.S_IMODE(about.st_mode) & ~OTHERS)
