"""The audit log: appends entries that cannot be changed unnoticed, and finds what was changed all the same.

Each entry holds the hash of the one before, so an edit, an insertion, a reordering or a gap breaks the chain. What a
chain cannot show by itself is a missing end; the anchor (``anchor.py``), a file beside the database, notes the newest
entry for that. Somebody who may write both the database and the anchor can forge everything: against that, note the
head elsewhere from time to time and pass it to ``crew actions verify --head``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Result, Row, func, select

from opscrew.store.tables.audit import audit_entries
from opscrew.store.text import storable

BEGINNING = "0" * 64
"""What the first entry names as the hash before it."""


@dataclass(frozen=True)
class Head:
    """The newest entry: its number (0 when there is none) and hash. Written as "12:ab34…"."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


@dataclass(frozen=True)
class Entry:
    """What happened to one action: ``event`` is the state it entered, ``who`` the person, "policy" or "crew".

    ``details`` must be fit to be stored already (``opscrew/store/text.py``): what is compared later is kept exactly.
    """

    at: datetime
    action: str
    event: str
    who: str
    details: Mapping[str, Any]


def append(connection: Connection, entry: Entry) -> None:
    """Adds one entry inside the caller's transaction, which must hold the journal's writer lock."""
    last = head(connection)
    values = {
        "number": last.number + 1,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": entry.action,
        "event": entry.event,
        "who": storable(entry.who, 128),
        "details": canonical(entry.details),
        "previous_hash": last.hash,
    }
    connection.execute(audit_entries.insert().values(**values, hash=hash_of(values)))


def head(connection: Connection) -> Head:
    """The newest entry as the database has it."""
    newest = select(func.max(audit_entries.c.number)).scalar_subquery()
    row = connection.execute(
        select(audit_entries.c.number, audit_entries.c.hash).where(audit_entries.c.number == newest)
    ).first()
    return Head(row.number, row.hash) if row else Head(0, BEGINNING)


def hash_at(connection: Connection, number: int) -> str | None:
    """The stored hash of one entry; ``None`` when there is no such entry."""
    if number == 0:
        return BEGINNING
    found = connection.execute(select(audit_entries.c.hash).where(audit_entries.c.number == number)).scalar()
    return None if found is None else str(found)


def entries_of(connection: Connection, action: str) -> list[Row[Any]]:
    """The story of one action, oldest first."""
    query = select(audit_entries).where(audit_entries.c.action == action).order_by(audit_entries.c.number)
    return list(connection.execute(query))


def entries_from(connection: Connection, number: int) -> Result[Any]:
    """Every entry from this number on, in order."""
    return connection.execute(
        select(audit_entries).where(audit_entries.c.number >= number).order_by(audit_entries.c.number)
    )


def details_of(row: Row[Any]) -> Mapping[str, Any]:
    """An entry's details; empty when somebody edited them into something else."""
    try:
        details = json.loads(row.details)
    except ValueError:
        return {}
    return details if isinstance(details, dict) else {}


def faults(row: Row[Any], before: Head) -> Iterator[str]:
    """What is wrong with one entry behind ``before``, as sentences."""
    if row.number != before.number + 1:
        missing = f"{before.number + 1}" if row.number == before.number + 2 else f"{before.number + 1}-{row.number - 1}"
        yield f"entry {missing} is missing: it was deleted"
    elif row.previous_hash != before.hash:
        yield f"entry {row.number} does not follow entry {before.number}: inserted, reordered or rewritten"
    if hash_of(row._asdict()) != row.hash:
        yield f"entry {row.number} was edited: its content does not match its hash"


def canonical(value: Any) -> str:
    """JSON in the one spelling that is hashed: keys sorted, no spaces, ASCII only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def hash_of(values: Mapping[str, Any]) -> str:
    """SHA-256 over every field of an entry except its own hash, and so over the whole chain before it."""
    fields = ("number", "at", "action", "event", "who", "details", "previous_hash")
    return hashlib.sha256(canonical([values[name] for name in fields]).encode()).hexdigest()
