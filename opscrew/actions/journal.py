"""The journal's table access: every change of an action is one transaction together with its audit entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, or_, select, update

from opscrew.actions import audit
from opscrew.actions.account import account_of, content, content_of, is_lost, standing
from opscrew.actions.anchor import begin_anchor, move_anchor
from opscrew.actions.budgets import Spending
from opscrew.actions.lifecycle import check_transition
from opscrew.actions.records import ActionRecord, digest_of
from opscrew.actions.rows import changing_columns, record_from, spent_of
from opscrew.actions.uptime import Moment, elapsed
from opscrew.model.action import ActionState
from opscrew.store.database import reading, serialize_writers
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.actions import actions
from opscrew.store.text import LONGEST_SENTENCE, storable, storable_evidence, storable_value

log = structlog.get_logger(__name__)

LONGEST_WINDOW = timedelta(hours=24)
"""Budgets look back an hour and cooldowns some minutes; a day leaves room for a clock that was off by hours."""

COUNTED = (
    ActionState.APPROVED,
    ActionState.SENDING,
    ActionState.SENT,
    ActionState.SUCCEEDED,
    ActionState.FAILED,
    ActionState.DRY_RUN,
)
"""States that use up budget. An approved action holds its place; a dry run counts as if it had been sent."""


class StaleRecordError(Exception):
    """Another process changed the action meanwhile. Nothing was written; look at it again."""


class Journal:
    """``anchor_path`` is the audit log's anchor in the data folder (see ``anchor.py``)."""

    def __init__(self, engine: Engine, anchor_path: Path) -> None:
        self._engine = engine
        self.anchor_path = anchor_path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; nobody else writes to the journal during it."""
        with self._engine.begin() as connection:
            serialize_writers(connection, "actions")
            self._anchored(begin_anchor, connection)
            yield connection
        with self.looking() as connection:
            self._anchored(move_anchor, connection)

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """For reading only."""
        with reading(self._engine).connect() as connection:
            yield connection

    def _anchored(self, step: Callable[[Path, Connection], None], connection: Connection) -> None:
        try:
            step(self.anchor_path, connection)
        except OSError as problem:
            # The entry itself is safely stored. `crew actions verify` shows that the anchor is missing or lags behind.
            log.warning("audit_anchor_not_written", path=str(self.anchor_path), problem=str(problem))


def insert(connection: Connection, record: ActionRecord, who: str) -> None:
    """Adds a new action and its first audit entry. The idempotency key must be free.

    Where its row was deleted behind the crew's back, the entry says so, or this new row would hide it.
    """
    action = record.action
    values = {
        "id": record.id,
        "key_digest": digest_of(action.idempotency_key),
        "idempotency_key": storable(action.idempotency_key, LONGEST_SENTENCE),
        "kind": storable(action.kind, 64),
        "system": storable(action.target.system, 64),
        "target_kind": storable(action.target.kind, 64),
        "scope": storable(action.target.scope),
        "name": storable(action.target.name),
        "url": storable(action.target.url, LONGEST_SENTENCE),
        "parameters": storable_value(action.parameters),
        "reason": storable(action.reason, LONGEST_SENTENCE),
        "evidence": storable_evidence(action.evidence),
        "finding": storable(action.finding, 16),
        "commit_id": storable(record.commit),
        "cooldown_key": storable(record.cooldown_key),
        "proposed_at": record.proposed_at,
        "version": record.version,
    }
    connection.execute(actions.insert().values(**values, **changing_columns(record)))
    altered = {"altered": ["record"]} if is_lost(connection, record.id) else {}
    audit.append(connection, _entry(record, record.proposed_at, who, content(values) | altered))


def change(connection: Connection, before: ActionRecord, after: ActionRecord, at: datetime, who: str) -> ActionRecord:
    """Stores ``after`` if the action is still as in ``before``. Raises ``StaleRecordError`` otherwise."""
    stored = _change(connection, before, after)
    altered = account_of(connection, before.id).differs_from(before)
    audit.append(connection, _entry(stored, at, who, {"altered": list(altered)} if altered else {}))
    return stored


def restate(connection: Connection, before: ActionRecord, after: ActionRecord, at: datetime, who: str) -> None:
    """Like ``change``; the log then states the whole action anew, as its row has it now."""
    audit.append(connection, _entry(_change(connection, before, after), at, who, content_of(after)))


def _change(connection: Connection, before: ActionRecord, after: ActionRecord) -> ActionRecord:
    if after.state is not before.state:
        check_transition(before.state, after.state)
    stored = replace(after, version=before.version + 1)
    changed = connection.execute(
        update(actions)
        .where(actions.c.id == before.id, actions.c.version == before.version)
        .values(version=stored.version, **changing_columns(stored))
    ).rowcount
    if changed != 1:
        raise StaleRecordError(before.id)
    return stored


def find(connection: Connection, idempotency_key: str) -> ActionRecord | None:
    """The action with this key, if it was ever proposed."""
    query = select(actions).where(actions.c.key_digest == digest_of(idempotency_key))
    row = connection.execute(query).first()
    return record_from(row) if row else None


def get(connection: Connection, prefix: str) -> ActionRecord:
    """The action whose id starts with ``prefix``. ``CrewError`` when none or several do."""
    identity = find_by_prefix(connection, actions.c.id, prefix, noun="action")
    return record_from(connection.execute(select(actions).where(actions.c.id == identity)).one())


def spendings(connection: Connection, now: Moment, commit: str, *, but: str) -> Sequence[Spending]:
    """What counts against budgets: the last day's actions and every one of ``commit``, without the action ``but``."""
    recent = [actions.c.spent_at >= now.at - LONGEST_WINDOW]
    if now.uptime:
        # Set forward, the clock makes recent actions look old; the uptime still knows them.
        recent.append(
            (actions.c.spent_boot == now.uptime.boot)
            & (actions.c.spent_seconds >= now.uptime.seconds - LONGEST_WINDOW.total_seconds())
        )
    if commit:
        recent.append(actions.c.commit_id == commit)
    query = select(actions).where(
        actions.c.state.in_([state.value for state in COUNTED]), actions.c.id != but, or_(*recent)
    )
    return [_spending(row, now) for row in connection.execute(query)]


def _spending(row: Row[Any], now: Moment) -> Spending:
    spent = spent_of(row)
    age = elapsed(spent, now) if spent else timedelta()
    return Spending(row.kind, row.scope, row.commit_id, row.cooldown_key, age)


def _entry(record: ActionRecord, at: datetime, who: str, stated: Mapping[str, Any]) -> audit.Entry:
    """``stated`` is the content in full, from the stored columns, or what of it was altered: most steps state none."""
    what = {"kind": storable(record.action.kind), "target": storable(record.action.target.key)}
    details: dict[str, Any] = {**what, "note": storable(record.note, LONGEST_SENTENCE)}
    if record.receipt:
        details["receipt"] = storable(record.receipt.external_id)
    told = standing(record.state.value, storable(record.approved_by, 128), record.expires_at)
    details |= {name: told[name] for name in ("approved_by", "expires_at")}
    return audit.Entry(at, record.id, record.state.value, who, {**details, **stated})
