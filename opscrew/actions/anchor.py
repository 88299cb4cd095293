"""The anchor: a small file in the data folder that notes the newest audit entry.

The chain alone does not show that its end was cut off. The anchor does: it names a number and a hash that the database
must still have. It only ever moves forward, and only when what it named before is still there, so a cut is not
papered over by the next entry. It exists from before the first entry on: one that is missing later was lost, which
``verify`` reports, and only a person may set a new one (``acceptance.py``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection

from opscrew.actions.audit import BEGINNING, Head, hash_at, head
from opscrew.file_lock import lock_within

FILE_NAME = "audit.anchor"

LOCK_SECONDS = 10.0
"""Who holds the lock writes one small file. TimeoutError is an OSError: the next entry moves the anchor."""


class AnchorDamagedError(Exception):
    """The file is there and cannot be read as an anchor. ``verify`` reports it."""


@dataclass(frozen=True)
class Anchor:
    """``accepted`` is the number of the entry with which a person last accepted a broken log, 0 without one.

    Noted here too, since whoever can only write the database must not be able to accept what he did to it.
    """

    head: Head
    accepted: int = 0


def read_anchor(path: Path) -> Anchor | None:
    """What was noted last; ``None`` when there is no file. Raises ``AnchorDamagedError`` or ``OSError``."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        noted = json.loads(text)
        return Anchor(Head(int(noted["number"]), str(noted["hash"])), int(noted.get("accepted", 0)))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise AnchorDamagedError(f"{path} is damaged") from problem


def begin_anchor(path: Path, connection: Connection) -> None:
    """Makes the file for a log that is still empty. Raises ``OSError`` when it cannot be written."""
    if not path.exists() and head(connection).number == 0:
        set_anchor(path, Anchor(Head(0, BEGINNING)))


def move_anchor(path: Path, connection: Connection) -> None:
    """Notes the newest entry. Leaves the anchor alone when the database no longer has what it names, and makes no
    file where there is none.

    Raises ``OSError`` when the file cannot be written; the entry itself is stored then, and the next one moves it.
    """
    if not path.exists():
        return
    with _locked(path):
        try:
            before = read_anchor(path)
        except AnchorDamagedError:
            return
        newest = head(connection)
        if before and newest.number > before.head.number and is_held(before.head, connection):
            _write(path, replace(before, head=newest))


def set_anchor(path: Path, anchor: Anchor) -> None:
    """Notes ``anchor`` whatever stood there before: for an empty log, or because a person accepted the present one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path):
        _write(path, anchor)


def is_held(noted: Head, connection: Connection) -> bool:
    """Whether the database still has the very entry that was noted."""
    return hash_at(connection, noted.number) == noted.hash


def _write(path: Path, anchor: Anchor) -> None:
    # A crash leaves either the old or the new file, never half of one.
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        json.dump({"number": anchor.head.number, "hash": anchor.head.hash, "accepted": anchor.accepted}, file)
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
