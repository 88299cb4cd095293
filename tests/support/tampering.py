"""What somebody could do who may write the database: edits past the guards, and forgeries with hashes that fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, text

from opscrew.actions.audit import hash_of
from opscrew.store.tables.audit import audit_entries as table


def without_guards(database: Engine) -> Engine:
    """Takes away the triggers that refuse changes of the log by accident."""
    with database.begin() as connection:
        if database.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER audit_entries_no_update")
            connection.exec_driver_sql("DROP TRIGGER audit_entries_no_delete")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_entries_append_only ON audit_entries")
    return database


def tamper(database: Engine, *statements: str) -> None:
    with database.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def rewrite(database: Engine, change: Callable[[dict[str, Any]], None]) -> None:
    """Changes entries and recomputes every hash, as somebody who knows the code would."""
    with database.begin() as connection:
        previous = "0" * 64
        for row in [dict(row._mapping) for row in connection.execute(table.select().order_by(table.c.number))]:
            change(row)
            row["previous_hash"] = previous
            previous = row["hash"] = hash_of(row)
            connection.execute(table.update().where(table.c.number == row["number"]).values(**row))


def as_an_earlier_version_wrote(row: dict[str, Any]) -> None:
    """Entries of 0.1 told neither approver nor end of approval, and each named kind and target."""
    details = json.loads(row["details"])
    for name in ("approved_by", "expires_at"):
        details.pop(name, None)
    row["details"] = json.dumps(details, sort_keys=True, separators=(",", ":"))
