"""Which webhooks have come already. One memory for every sender, kept over restarts and bounded in size.

Senders deliver again what was not answered in time, and somebody who has seen a delivery may send it again at will.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select

from opscrew.store.database import serialize_writers
from opscrew.store.tables.webhooks import webhook_deliveries as table

MOST_KEPT = 10_000
"""Of one source; the oldest go first. A busy workspace sends some thousand a day."""


def hashed(value: str | bytes) -> str:
    """A delivery's name, or its body, as it is kept."""
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def note_delivery(engine: Engine, source: str, names: Collection[str], now: datetime, within: timedelta) -> bool:
    """False where a delivery by any of these ``names`` came within that time; otherwise it is known from now on."""
    if not names:
        return True
    with engine.begin() as connection:
        serialize_writers(connection, "webhook_deliveries")
        named = (table.c.source == source) & table.c.delivery.in_(names)
        if connection.execute(select(table.c.source).where(named, table.c.received_at > now - within)).first():
            return False
        connection.execute(delete(table).where(named))
        connection.execute(insert(table), [{"source": source, "delivery": name, "received_at": now} for name in names])
        _forget_oldest(connection, source)
    return True


def forget_delivery(engine: Engine, source: str, names: Collection[str]) -> None:
    """It could not be acted on after all, and counts as new when it is sent again."""
    with engine.begin() as connection:
        connection.execute(delete(table).where(table.c.source == source, table.c.delivery.in_(names)))


def _forget_oldest(connection: Connection, source: str) -> None:
    mine = table.c.source == source
    count = connection.execute(select(func.count()).select_from(table).where(mine)).scalar_one()
    if count > MOST_KEPT:
        oldest = select(table.c.delivery).where(mine).order_by(table.c.received_at).limit(count - MOST_KEPT)
        # As values: PostgreSQL and SQLite both take them, and there are as many as one delivery has names.
        gone = list(connection.execute(oldest).scalars())
        connection.execute(delete(table).where(mine, table.c.delivery.in_(gone)))
