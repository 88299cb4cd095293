"""How each channel fares: when it began, when it last took a message, and what it fails with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from opscrew.notify.rules import rules
from opscrew.store.tables.notify import notify_channels as table
from opscrew.store.text import storable


@dataclass(frozen=True)
class Health:
    """``failures`` in a row since ``failing_since``; nothing is tried before ``again_at``. ``permanent``: only a
    person can end it."""

    name: str
    started_at: datetime
    sent_at: datetime | None
    failures: int
    failing_since: datetime | None
    again_at: datetime | None
    permanent: bool
    problem: str

    def fails_for_long(self, now: datetime) -> bool:
        """Whether people should hear of it elsewhere."""
        if self.failing_since is None:
            return False
        return self.permanent or now - self.failing_since >= timedelta(minutes=rules().failing_minutes)


def health_of(connection: Connection, name: str) -> Health | None:
    """``None`` for a channel that was never there."""
    row = connection.execute(select(table).where(table.c.name == name)).first()
    return _health(row) if row else None


def all_health(connection: Connection) -> dict[str, Health]:
    """Every channel that ever was, by name."""
    return {row.name: _health(row) for row in connection.execute(select(table).order_by(table.c.name))}


def begin(connection: Connection, name: str, now: datetime) -> None:
    """A channel that is seen for the first time."""
    values = {"name": name, "started_at": now, "failures": 0, "permanent": False, "problem": ""}
    connection.execute(insert(table).values(values))


def mark_sent(connection: Connection, name: str, now: datetime) -> None:
    """It works."""
    values = {"sent_at": now, "failures": 0, "failing_since": None, "again_at": None, "permanent": False, "problem": ""}
    connection.execute(update(table).where(table.c.name == name).values(values))


def mark_recovered(connection: Connection, name: str, now: datetime) -> None:
    """A person tried it, and it works: what waits may go out now."""
    values = {"failures": 0, "failing_since": None, "again_at": now, "permanent": False, "problem": ""}
    connection.execute(update(table).where(table.c.name == name).values(values))


def mark_failed(
    connection: Connection,
    name: str,
    problem: str,
    now: datetime,
    *,
    asked: float | None = None,
    permanent: bool = False,
) -> None:
    """It failed once more; the pause grows."""
    before = health_of(connection, name)
    if before is None:
        return
    failures = before.failures + 1
    retry = rules().retry
    pause = timedelta(seconds=retry.longest_seconds) if permanent else retry.pause(failures, asked)
    values = {
        "failures": failures,
        "failing_since": before.failing_since or now,
        "again_at": now + pause,
        "permanent": permanent,
        "problem": storable(problem),
    }
    connection.execute(update(table).where(table.c.name == name).values(values))


def _health(row: Row[Any]) -> Health:
    return Health(**row._asdict())
