"""The anchor: a small file in the data folder that notes the newest audit entry.

The chain alone does not show that its end was cut off. The anchor does: it names a number and a hash that the database
must still have. It only ever moves forward, and only when what it named before is still there, so a cut is not
papered over by the next entry.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection

from opscrew.actions.audit import BEGINNING, Head, hash_at, head
from opscrew.file_lock import lock_within

FILE_NAME = "audit.anchor"

LOCK_SECONDS = 10.0
"""Who holds the lock writes one small file. TimeoutError is an OSError: the next entry moves the anchor."""


class AnchorDamagedError(Exception):
    """The file is there and cannot be read as an anchor. ``verify`` reports it."""


def read_anchor(path: Path) -> Head | None:
    """What was noted last; ``None`` before the first note. Raises ``AnchorDamagedError`` or ``OSError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        noted = json.loads(text)
        return Head(int(noted["number"]), str(noted["hash"]))
    except (ValueError, KeyError, TypeError) as problem:
        raise AnchorDamagedError(f"{path} is damaged") from problem


def move_anchor(path: Path, connection: Connection) -> None:
    """Notes the newest entry. Leaves the anchor alone when the database no longer has what it names.

    Raises ``OSError`` when the file cannot be written; the entry itself is stored then, and the next one moves it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        try:
            before = read_anchor(path) or Head(0, BEGINNING)
        except AnchorDamagedError:
            return
        newest = head(connection)
        if newest.number > before.number and hash_at(connection, before.number) == before.hash:
            _replace(path, newest)


def _replace(path: Path, newest: Head) -> None:
    # A crash leaves either the old or the new file, never half of one.
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"number": newest.number, "hash": newest.hash}, file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    # Two processes that finish at the same time must not write over each other's draft.
    with path.with_suffix(".lock").open("w") as lock:
        if not lock_within(lock.fileno(), LOCK_SECONDS):
            raise TimeoutError(f"another process has kept {lock.name} for {LOCK_SECONDS:g} s")
        yield
