"""Follows what was sent until its outcome is known, or until waiting longer makes no sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from opscrew.actions import journal
from opscrew.actions.catalog import catalog
from opscrew.actions.executor import Executor, Outcome
from opscrew.actions.journal import Journal
from opscrew.actions.records import ActionRecord
from opscrew.actions.sending import CREW
from opscrew.actions.uptime import Moment, elapsed
from opscrew.model.action import ActionState


def follow(record: ActionRecord, executor: Executor, journal_: Journal, now: Moment) -> ActionRecord:
    """Asks for the outcome of a sent action, and records it. ``UpstreamError`` when the system does not answer."""
    assert record.receipt is not None, "an action is only sent with a receipt"
    outcome = executor.outcome(record.action, record.receipt)
    if outcome is None:
        kind = catalog()[record.action.kind]
        if record.spent is None or elapsed(record.spent, now) < timedelta(hours=kind.follow_hours):
            return record
        outcome = Outcome(False, f"no outcome within {kind.follow_hours:g} hours")
    state = ActionState.SUCCEEDED if outcome.succeeded else ActionState.FAILED
    after = replace(record, state=state, note=outcome.text, finished_at=now.at)
    with journal_.writing() as connection:
        return journal.change(connection, record, after, now.at, CREW)
