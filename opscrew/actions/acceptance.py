"""How a person accepts an audit log that is broken, after a restored backup or a lost anchor: with a reason, on record.

Nothing is mended or deleted. One entry says who accepted what, and pins everything before it by a digest, so that it
cannot be changed further. Every unfinished action is then stated anew, because a database that was replaced may have
lost, or brought back, what people decided: what was approved asks again, and what was altered is closed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine

from opscrew.actions import audit, journal, queries
from opscrew.actions.account import GONE
from opscrew.actions.anchor import Anchor, set_anchor
from opscrew.actions.lifecycle import OPEN_STATES
from opscrew.actions.records import ActionRecord, HeldBy
from opscrew.actions.verification import ACCEPTED, OF_THE_LOG, AuditCheck, digest_of_entries, verify
from opscrew.errors import CrewError
from opscrew.model.action import ActionState
from opscrew.store.database import serialize_writers
from opscrew.store.text import LONGEST_SENTENCE, storable

CLOSED = {
    ActionState.WAITING: ActionState.DENIED,
    ActionState.APPROVED: ActionState.DENIED,
    ActionState.SENDING: ActionState.FAILED,
    ActionState.SENT: ActionState.FAILED,
}
"""Where an unfinished action ends that was altered behind the crew's back."""


def accept(engine: Engine, anchor_path: Path, who: str, reason: str, at: datetime) -> AuditCheck:
    """Accepts the log as it is and returns how it then looks. ``CrewError`` when it is intact or there is no reason."""
    if not reason.strip():
        raise CrewError("accepting the log needs a reason", "Others must be able to see why it was broken.")
    found = verify(engine, anchor_path)
    if found.intact:
        raise CrewError("the audit log is intact", "There is nothing to accept.")
    with engine.begin() as connection:
        serialize_writers(connection, "actions")
        number = audit.head(connection).number + 1
        details = {
            "reason": storable(reason, LONGEST_SENTENCE),
            "problems": [storable(problem) for problem in found.problems],
            "entries": digest_of_entries(connection),
        }
        audit.append(connection, audit.Entry(at, OF_THE_LOG, ACCEPTED, who, details))
        _restate(connection, found, who, at)
        newest = audit.head(connection)
    set_anchor(anchor_path, Anchor(newest, accepted=number))
    return verify(engine, anchor_path)


def _restate(connection: Connection, found: AuditCheck, who: str, at: datetime) -> None:
    unfinished = queries.in_states(connection, OPEN_STATES)
    altered = queries.by_id(connection, found.differing)
    for record in {one.id: one for one in (*unfinished, *altered)}.values():
        after = _closed(record, at) if record.id in found.differing else _asked_again(record)
        journal.restate(connection, record, after, at, who)
    for identity in sorted(found.differing - {record.id for record in altered}):
        audit.append(connection, audit.Entry(at, identity, GONE, who, {"note": "its record is lost"}))


def _closed(record: ActionRecord, at: datetime) -> ActionRecord:
    if record.state not in CLOSED:
        return record
    note = "closed, because its record was changed by something other than crew"
    return replace(record, state=CLOSED[record.state], note=note, held_by=HeldBy.NOTHING, sender="", finished_at=at)


def _asked_again(record: ActionRecord) -> ActionRecord:
    if record.state is not ActionState.APPROVED:
        return record
    note = "approved before the audit log was accepted as it is: please decide again"
    return replace(record, state=ActionState.WAITING, note=note, held_by=HeldBy.AUDIT, approved_by="", spent=None)
