"""Follows what was sent until its outcome is known, or until waiting longer makes no sense."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from opscrew.actions import journal
from opscrew.actions.catalog import catalog
from opscrew.actions.executor import Executor, Outcome
from opscrew.actions.journal import Journal
from opscrew.actions.records import CREW, ActionRecord
from opscrew.actions.uptime import Moment, elapsed
from opscrew.model.action import ActionState
from tools.errors import UpstreamError


def follow(record: ActionRecord, executor: Executor, journal_: Journal, now: Moment) -> ActionRecord:
    """Asks for the outcome of a sent action, and records it. ``UpstreamError`` when the system does not answer yet.

    One that never answers again (the repository was deleted, the token taken away) must not be asked for ever.
    """
    assert record.receipt is not None, "an action is only sent with a receipt"
    try:
        outcome = executor.outcome(record.action, record.receipt)
        reason = ""
    except UpstreamError as problem:
        if not is_overdue(record, now):
            raise
        outcome, reason = None, f": {problem}"
    if outcome is None:
        if not is_overdue(record, now):
            return record
        hours = catalog()[record.action.kind].follow_hours
        outcome = Outcome(False, f"no outcome within {hours:g} hours{reason}")
    state = ActionState.SUCCEEDED if outcome.succeeded else ActionState.FAILED
    after = replace(record, state=state, note=outcome.text, finished_at=now.at)
    with journal_.writing() as connection:
        return journal.change(connection, record, after, now.at, CREW)


def is_overdue(record: ActionRecord, now: Moment) -> bool:
    """Whether the catalog's time for an outcome has passed since the action was sent."""
    hours = catalog()[record.action.kind].follow_hours
    return record.spent is not None and elapsed(record.spent, now) >= timedelta(hours=hours)
