"""The one way in which anything is done to an outside system: propose, decide, send, follow.

Crews propose; ``advance`` does the rest and may be called as often as one likes, by several processes at once. Each
step is one transaction with its audit entry, so a process may be killed at any moment and the next one goes on.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from opscrew.actions import approvals, journal, queries
from opscrew.actions.account import is_lost
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.catalog import catalog
from opscrew.actions.executor import Executor
from opscrew.actions.findings import is_audit_broken
from opscrew.actions.following import follow
from opscrew.actions.journal import Journal, StaleRecordError
from opscrew.actions.policy import check_settings
from opscrew.actions.records import BY_POLICY, CREW, ActionRecord, HeldBy, id_of
from opscrew.actions.ruling import Ruling, is_off, objection, rule, spending_of
from opscrew.actions.sending import Sender, Timing
from opscrew.actions.uptime import Moment, UptimeSource
from opscrew.clock import Clock
from opscrew.model.action import Action, ActionState
from opscrew.settings import Settings
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)

UNFINISHED = (ActionState.SENT, ActionState.SENDING, ActionState.APPROVED)
"""What ``advance`` works on. What was begun comes before what is new."""


WHILE_OFF = "#off"
"""Ends the key under which a request is recorded that policy switched off."""


@dataclass(frozen=True)
class Advance:
    """``changed`` holds each action that moved, as it is now; ``problems`` what could not be done, for people.
    ``audit_doubted``: something was not sent because the audit log does not prove it."""

    changed: tuple[ActionRecord, ...] = ()
    problems: tuple[str, ...] = ()
    audit_doubted: bool = False


def no_checkpoint(_step: str) -> None:
    """What happens at a checkpoint outside the tests that kill the process there."""


class Execution:
    """``uptime`` is ``machine_uptime`` wherever the clock is the real one, else ``no_uptime`` (see ``uptime.py``).

    Raises ``UsageError`` when policy or quiet hours in the settings cannot be understood.
    """

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        clock: Clock,
        uptime: UptimeSource,
        *,
        timing: Timing | None = None,
        checkpoint: Callable[[str], None] = no_checkpoint,
    ) -> None:
        check_settings(settings)
        self._settings = settings
        self._clock = clock
        self._uptime = uptime
        self._checkpoint = checkpoint
        self._journal = Journal(engine, settings.data_dir / FILE_NAME)
        name = f"{socket.gethostname()[:32]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._sender = Sender(self._journal, settings, self._now, name, timing or Timing(), checkpoint)

    def propose(self, action: Action) -> ActionRecord:
        """Records the proposal with what policy says of it. The same idempotency key gives the same record, except that
        what policy switches off does not take the key."""
        now = self._now()
        problem = objection(action)
        if problem is None and is_off(action, self._settings):
            # Not under its own key: that stays free, so that the same request works once policy allows it.
            recorded = action.model_copy(update={"idempotency_key": f"{action.idempotency_key}{WHILE_OFF}"})
        else:
            recorded = action
        with self._journal.writing() as connection:
            for key in (action.idempotency_key, recorded.idempotency_key):
                if known := journal.find(connection, key):
                    return known
            record = self._ruled(connection, recorded, problem, now)
            journal.insert(connection, record, CREW)
        self._checkpoint("proposal_recorded")
        return record

    def _ruled(self, connection: Connection, action: Action, problem: str | None, now: Moment) -> ActionRecord:
        """A new record, with the ruling on it."""
        if problem:
            return self._new(action, Ruling(ActionState.REFUSED, problem), now, "", "")
        wanted = spending_of(catalog()[action.kind], action)
        if is_lost(connection, id_of(action.idempotency_key)):
            lost = "it is in the audit log, and its record was deleted: it may have been done already"
            ruling = Ruling(ActionState.REFUSED, lost, HeldBy.AUDIT)
        else:
            past = journal.spendings(connection, now, wanted.commit, but="")
            broken = is_audit_broken(connection)
            ruling = rule(action, self._settings, now.at, past, approved_by_person=False, audit_broken=broken)
        return self._new(action, ruling, now, wanted.commit, wanted.cooldown_key)

    def advance(self, executors: Iterable[Executor]) -> Advance:
        """Expires what is too old; sends, recovers and follows what these executors can do. The rest is others' work.

        Never raises for what one action does.
        """
        by_kind = {executor.kind: executor for executor in executors}
        changed = approvals.expire(self._journal, self._now())
        problems: list[str] = []
        doubted = False
        with self._journal.looking() as connection:
            todo = queries.in_states(connection, UNFINISHED)
        for record in sorted(todo, key=lambda one: UNFINISHED.index(one.state)):
            executor = by_kind.get(record.action.kind)
            if executor is None:
                continue
            moved, problem = self._step(record, executor)
            if moved.version != record.version:
                changed.append(moved)
            doubted |= moved.held_by is HeldBy.AUDIT and moved.state is not ActionState.WAITING
            if problem:
                problems.append(f"{record.id}: {problem}")
        return Advance(tuple(changed), tuple(problems), doubted)

    def stranded(self, executors: Iterable[Executor]) -> tuple[str, ...]:
        """Unfinished actions that none of all the executors there are can take further, each as a sentence."""
        kinds = {executor.kind for executor in executors}
        return tuple(
            f"{one.id}: {one.action.target.system} is not connected, {one.state.value}"
            for one in self.in_states(UNFINISHED)
            if one.action.kind not in kinds
        )

    def approve(self, prefix: str, who: str) -> ActionRecord:
        """See ``approvals.approve``."""
        return approvals.approve(self._journal, self._settings, prefix, who, self._now())

    def deny(self, prefix: str, who: str, reason: str = "") -> ActionRecord:
        """See ``approvals.deny``."""
        return approvals.deny(self._journal, prefix, who, reason, self._now())

    def get(self, prefix: str) -> ActionRecord:
        """The action whose id starts with ``prefix``. ``CrewError`` when none or several do."""
        with self._journal.looking() as connection:
            return journal.get(connection, prefix)

    def find(self, idempotency_key: str) -> ActionRecord | None:
        """The action with this key, if it was ever proposed."""
        with self._journal.looking() as connection:
            return journal.find(connection, idempotency_key)

    def list(self, states: Sequence[ActionState] = (), limit: int = 1_000) -> Sequence[ActionRecord]:
        """The latest actions in any of these states (empty: all), the latest proposed last: for people to read."""
        with self._journal.looking() as connection:
            return queries.latest(connection, states, limit)

    def in_states(self, states: Sequence[ActionState], kind: str = "") -> Sequence[ActionRecord]:
        """Every action in one of these states, the oldest first: for work, of which nothing may be left out."""
        with self._journal.looking() as connection:
            return queries.in_states(connection, states, kind)

    def finished_since(self, since: datetime, states: Sequence[ActionState]) -> Sequence[ActionRecord]:
        """Actions that ended in one of these states at or after a time."""
        with self._journal.looking() as connection:
            return queries.finished_since(connection, since, states)

    def _step(self, record: ActionRecord, executor: Executor) -> tuple[ActionRecord, str]:
        """The record as it is afterwards, and what went wrong; empty when nothing did."""
        try:
            if record.state is ActionState.SENT:
                return follow(record, executor, self._journal, self._now()), ""
            if record.state is ActionState.SENDING:
                record = self._sender.recover(record, executor)
            if record.state is ActionState.APPROVED:
                record = self._sender.send(record, executor)
            if record.held_by is HeldBy.AUDIT and record.state is not ActionState.WAITING:
                return record, record.note
        except StaleRecordError:
            pass  # another process is at it
        except UpstreamError as problem:
            return record, str(problem)
        except Exception as problem:  # one action's error must not keep the others from going on
            log.exception("action_failed_unexpectedly", action=record.id)
            return record, f"unexpected {type(problem).__name__}: {problem}"
        return record, ""

    def _new(self, action: Action, ruling: Ruling, now: Moment, commit: str, cooldown_key: str) -> ActionRecord:
        approved = ruling.state is ActionState.APPROVED
        return ActionRecord(
            id=id_of(action.idempotency_key),
            action=action,
            state=ruling.state,
            note=ruling.note,
            held_by=ruling.held_by,
            approved_by=BY_POLICY if approved else "",
            commit=commit,
            cooldown_key=cooldown_key,
            proposed_at=now.at,
            expires_at=now.at + timedelta(hours=self._settings.budget.approval_hours),
            spent=now if approved else None,
            sender="",
            attempts=0,
            receipt=None,
            finished_at=None if not ruling.state.final else now.at,
            version=1,
        )

    def _now(self) -> Moment:
        return Moment(self._clock(), self._uptime())
