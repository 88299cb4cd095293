"""What people decide about waiting actions, and what happens when nobody decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection

from opscrew.actions import journal, queries
from opscrew.actions.journal import Journal
from opscrew.actions.proof import doubt_about
from opscrew.actions.records import CREW, ActionRecord, HeldBy
from opscrew.actions.ruling import objection, rule
from opscrew.actions.uptime import Moment
from opscrew.errors import CrewError
from opscrew.model.action import ActionState
from opscrew.settings import Settings


def approve(journal_: Journal, settings: Settings, prefix: str, who: str, now: Moment) -> ActionRecord:
    """Lets a waiting action go ahead at the next `advance`. ``CrewError`` when it cannot.

    The approval holds as long as an open question does (``budget.approval_hours``), so that an action approved while
    the daemon was down is not sent days later.
    """
    with journal_.writing() as connection:
        record = _waiting(journal.get(connection, prefix), now)
        if record.held_by is HeldBy.PEOPLE:
            raise CrewError(
                f"the crew cannot carry out {record.action.kind} itself",
                f"Do it by hand, then `crew actions deny {record.id} --reason done` to close it.",
            )
        past = journal.spendings(connection, now, record.commit, but=record.id)
        doubt = doubt_about(connection, record, journal_.anchor_path)
        problem = doubt.text if doubt and doubt.altered else objection(record.action)
        if problem is None:
            ruling = rule(record.action, settings, now.at, past, approved_by_person=True, audit_broken=False)
            problem = ruling.note if ruling.state is ActionState.REFUSED else None
        if problem:
            raise CrewError(f"{record.id} cannot be approved: {problem}", "Change the policy first, or deny it.")
        after = replace(
            record,
            state=ActionState.APPROVED,
            note=f"approved by {who}",
            held_by=HeldBy.NOTHING,
            approved_by=who,
            expires_at=now.at + timedelta(hours=settings.budget.approval_hours),
            spent=now,
        )
        return journal.change(connection, record, after, now.at, who)


def deny(journal_: Journal, prefix: str, who: str, reason: str, now: Moment) -> ActionRecord:
    """Closes an action that was not sent yet. ``CrewError`` when it was."""
    with journal_.writing() as connection:
        record = journal.get(connection, prefix)
        if record.state not in (ActionState.WAITING, ActionState.APPROVED):
            raise CrewError(f"{record.id} is already {record.state.value}", "Only what was not sent can be denied.")
        note = f"denied by {who}" + (f": {reason}" if reason else "")
        after = replace(record, state=ActionState.DENIED, note=note, held_by=HeldBy.NOTHING, finished_at=now.at)
        return journal.change(connection, record, after, now.at, who)


def expire(journal_: Journal, now: Moment) -> list[ActionRecord]:
    """Closes what waited, or lay approved, for too long.

    By the clock alone: set forward it closes too early, which costs a repeated question and does no harm.
    """
    with journal_.looking() as connection:
        overdue = [one for one in _unsent(connection) if one.expires_at <= now.at]
    if not overdue:
        return []
    closed = []
    with journal_.writing() as connection:
        for record in _unsent(connection):
            if record.expires_at <= now.at:
                note = "nobody decided in time" if record.state is ActionState.WAITING else "not sent in time"
                after = replace(
                    record, state=ActionState.EXPIRED, note=note, held_by=HeldBy.NOTHING, finished_at=now.at
                )
                closed.append(journal.change(connection, record, after, now.at, CREW))
    return closed


def _unsent(connection: Connection) -> list[ActionRecord]:
    return queries.in_states(connection, (ActionState.WAITING, ActionState.APPROVED))


def _waiting(record: ActionRecord, now: Moment) -> ActionRecord:
    if record.state is not ActionState.WAITING:
        raise CrewError(f"{record.id} is {record.state.value}, not waiting", f"See `crew actions show {record.id}`.")
    if record.expires_at <= now.at:
        raise CrewError(f"{record.id} has expired", "If it is still needed, it will be proposed again.")
    return record
