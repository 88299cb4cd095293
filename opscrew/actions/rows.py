"""The journal's rows: records to columns and back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from opscrew.actions.executor import Receipt
from opscrew.actions.records import ActionRecord, HeldBy
from opscrew.actions.uptime import Moment, Uptime
from opscrew.model.action import Action, ActionState
from opscrew.model.subject import Subject
from opscrew.store.text import LONGEST_SENTENCE, evidence_from, storable


def changing_columns(record: ActionRecord) -> dict[str, Any]:
    """The columns that a step may change; the others stay as they were proposed."""
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


def spent_of(row: Row[Any]) -> Moment | None:
    """The moment from which budgets count it."""
    if row.spent_at is None:
        return None
    return Moment(row.spent_at, Uptime(row.spent_boot, row.spent_seconds) if row.spent_boot else None)


def record_from(row: Row[Any]) -> ActionRecord:
    """A whole row as the record that it was."""
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
        spent=spent_of(row),
        sender=row.sender,
        attempts=row.attempts,
        refusals=row.refusals,
        looks=row.looks,
        again_at=row.again_at,
        receipt=Receipt(row.receipt_id, row.receipt_url, row.receipt_detail) if row.receipt_id else None,
        finished_at=row.finished_at,
        version=row.version,
    )
