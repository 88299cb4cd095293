"""The journal's table access: every change of an action is one transaction together with its audit entry."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, or_, select, update

from opscrew.actions import audit
from opscrew.actions.anchor import move_anchor
from opscrew.actions.budgets import Spending
from opscrew.actions.executor import Receipt
from opscrew.actions.lifecycle import check_transition
from opscrew.actions.records import ActionRecord, HeldBy, digest_of
from opscrew.actions.uptime import Moment, Uptime, elapsed
from opscrew.model.action import Action, ActionState
from opscrew.model.subject import Subject
from opscrew.store.database import reading, serialize_writers
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.actions import actions
from opscrew.store.text import LONGEST_SENTENCE, evidence_from, storable, storable_evidence, storable_value

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
        self._anchor_path = anchor_path

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; nobody else writes to the journal during it."""
        with self._engine.begin() as connection:
            serialize_writers(connection, "actions")
            yield connection
        self._note_head()

    @contextmanager
    def looking(self) -> Iterator[Connection]:
        """For reading only."""
        with reading(self._engine).connect() as connection:
            yield connection

    def _note_head(self) -> None:
        try:
            with self.looking() as connection:
                move_anchor(self._anchor_path, connection)
        except OSError as problem:
            # The entry is safely stored. `crew actions verify` shows how far the anchor lags behind.
            log.warning("audit_anchor_not_written", path=str(self._anchor_path), problem=str(problem))


def insert(connection: Connection, record: ActionRecord, who: str) -> None:
    """Adds a new action and its first audit entry. The idempotency key must be free."""
    action = record.action
    connection.execute(
        actions.insert().values(
            id=record.id,
            key_digest=digest_of(action.idempotency_key),
            idempotency_key=storable(action.idempotency_key, LONGEST_SENTENCE),
            kind=storable(action.kind, 64),
            system=storable(action.target.system, 64),
            target_kind=storable(action.target.kind, 64),
            scope=storable(action.target.scope),
            name=storable(action.target.name),
            url=storable(action.target.url, LONGEST_SENTENCE),
            parameters=storable_value(action.parameters),
            reason=storable(action.reason, LONGEST_SENTENCE),
            evidence=storable_evidence(action.evidence),
            finding=storable(action.finding, 16),
            commit_id=storable(record.commit),
            cooldown_key=storable(record.cooldown_key),
            proposed_at=record.proposed_at,
            version=record.version,
            **_changing_columns(record),
        )
    )
    audit.append(connection, _entry(record, record.proposed_at, who))


def change(connection: Connection, before: ActionRecord, after: ActionRecord, at: datetime, who: str) -> ActionRecord:
    """Stores ``after`` if the action is still as in ``before``. Raises ``StaleRecordError`` otherwise."""
    if after.state is not before.state:
        check_transition(before.state, after.state)
    stored = replace(after, version=before.version + 1)
    changed = connection.execute(
        update(actions)
        .where(actions.c.id == before.id, actions.c.version == before.version)
        .values(version=stored.version, **_changing_columns(stored))
    ).rowcount
    if changed != 1:
        raise StaleRecordError(before.id)
    audit.append(connection, _entry(stored, at, who))
    return stored


def find(connection: Connection, idempotency_key: str) -> ActionRecord | None:
    """The action with this key, if it was ever proposed."""
    query = select(actions).where(actions.c.key_digest == digest_of(idempotency_key))
    row = connection.execute(query).first()
    return _record(row) if row else None


def get(connection: Connection, prefix: str) -> ActionRecord:
    """The action whose id starts with ``prefix``. ``CrewError`` when none or several do."""
    identity = find_by_prefix(connection, actions.c.id, prefix, noun="action")
    return _record(connection.execute(select(actions).where(actions.c.id == identity)).one())


def in_states(connection: Connection, states: Collection[ActionState], limit: int = 1_000) -> list[ActionRecord]:
    """Actions in any of these states (empty: all), the latest proposed last."""
    query = select(actions).order_by(actions.c.proposed_at.desc(), actions.c.id).limit(limit)
    if states:
        query = query.where(actions.c.state.in_([state.value for state in states]))
    return [_record(row) for row in connection.execute(query)][::-1]


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
    spent = _spent(row)
    age = elapsed(spent, now) if spent else timedelta()
    return Spending(row.kind, row.scope, row.commit_id, row.cooldown_key, age)


def _changing_columns(record: ActionRecord) -> dict[str, Any]:
    uptime = record.spent.uptime if record.spent else None
    receipt = record.receipt or Receipt("")
    return {
        "state": record.state.value,
        "note": storable(record.note, LONGEST_SENTENCE),
        "held_by": record.held_by.value,
        "approved_by": storable(record.approved_by, 128),
        "expires_at": record.expires_at,
        "spent_at": record.spent.at if record.spent else None,
        "spent_boot": uptime.boot if uptime else "",
        "spent_seconds": uptime.seconds if uptime else 0.0,
        "sender": record.sender,
        "attempts": record.attempts,
        "refusals": record.refusals,
        "looks": record.looks,
        "again_at": record.again_at,
        "receipt_id": storable(receipt.external_id),
        "receipt_url": storable(receipt.url, LONGEST_SENTENCE),
        "receipt_detail": storable(receipt.detail, LONGEST_SENTENCE),
        "finished_at": record.finished_at,
    }


def _entry(record: ActionRecord, at: datetime, who: str) -> audit.Entry:
    details: dict[str, Any] = {"kind": record.action.kind, "target": record.action.target.key, "note": record.note}
    if record.receipt:
        details["receipt"] = record.receipt.external_id
    if record.version == 1:
        details |= {
            "parameters": record.action.parameters,
            "reason": record.action.reason,
            "key": record.action.idempotency_key,
        }
    return audit.Entry(at, record.id, record.state.value, who, details)


def _spent(row: Row[Any]) -> Moment | None:
    if row.spent_at is None:
        return None
    return Moment(row.spent_at, Uptime(row.spent_boot, row.spent_seconds) if row.spent_boot else None)


def _record(row: Row[Any]) -> ActionRecord:
    return ActionRecord(
        id=row.id,
        action=Action(
            kind=row.kind,
            target=Subject(system=row.system, kind=row.target_kind, scope=row.scope, name=row.name, url=row.url),
            parameters=row.parameters,
            reason=row.reason,
            evidence=evidence_from(row.evidence),
            finding=row.finding,
            idempotency_key=row.idempotency_key,
        ),
        state=ActionState(row.state),
        note=row.note,
        held_by=HeldBy(row.held_by),
        approved_by=row.approved_by,
        commit=row.commit_id,
        cooldown_key=row.cooldown_key,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        spent=_spent(row),
        sender=row.sender,
        attempts=row.attempts,
        receipt=Receipt(row.receipt_id, row.receipt_url, row.receipt_detail) if row.receipt_id else None,
        finished_at=row.finished_at,
        version=row.version,
        refusals=row.refusals,
        looks=row.looks,
        again_at=row.again_at,
    )
