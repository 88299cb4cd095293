"""Sends one action at most once, and finds out after a crash whether it arrived.

The order is what makes it safe: first the intent is recorded (``sending``), then the request goes out, then the
receipt is recorded. Whoever finds an action in ``sending`` whose sender is gone does not know how far that one got, so
it asks the system. A busy system accepts late and lists later still: only when it was asked several times over a good
while, and showed nothing each time, is the action sent again. What a system will not take right now (429, 503) never
arrived and is no attempt: it is sent later, after ever longer pauses.

One gap remains, because the systems offer no idempotency key: a process that is frozen between its last look at the
watch and the request, for longer than the lease, and then goes on. The watch makes that gap a few microseconds wide.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from opscrew.actions import journal
from opscrew.actions.executor import Executor, NotYetError, Receipt, SendRefusedError
from opscrew.actions.findings import is_audit_broken
from opscrew.actions.following import is_overdue
from opscrew.actions.journal import Journal, StaleRecordError
from opscrew.actions.proof import doubt_about
from opscrew.actions.records import BY_POLICY, CREW, ActionRecord, HeldBy
from opscrew.actions.ruling import rule
from opscrew.actions.uptime import Moment, elapsed
from opscrew.model.action import ActionState
from opscrew.reading_time import clock_time
from opscrew.settings import Settings
from tools.errors import TemporaryError, UpstreamError

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Timing:
    """Waiting times around a request. Tests shorten them; people have no reason to."""

    lease: timedelta = timedelta(minutes=2)
    """How long a sender may be silent before others take it for dead. Well above every request's timeout."""
    settle: timedelta = timedelta(seconds=30)
    """How long after a request was given up it is looked for the first time: the system may still be working on it."""
    look_for: timedelta = timedelta(minutes=12)
    looks: int = 5
    """For how long, and how often, it is looked for before it counts as never arrived: a system may accept more than a
    minute late, and list later still."""
    first_pause: timedelta = timedelta(minutes=1)
    longest_pause: timedelta = timedelta(minutes=30)
    """How long to wait after the system would not take it, doubled each time up to the longest."""
    try_for: timedelta = timedelta(hours=6)
    """For how long after the proposal what policy approved is sent. Later nobody waits for it any more."""
    clock_difference: timedelta = timedelta(hours=1)
    """How far our clock and a system's may be apart; how much too early ``find_sent`` is told to look."""
    attempts: int = 5
    """How many requests may get lost, one after the other, before the action counts as failed."""


class Sender:
    """One per process. ``name`` tells senders apart; ``checkpoint`` is called with the name of each step it passes."""

    def __init__(
        self,
        journal_: Journal,
        settings: Settings,
        now: Callable[[], Moment],
        name: str,
        timing: Timing,
        checkpoint: Callable[[str], None],
    ) -> None:
        self._journal = journal_
        self._settings = settings
        self._now = now
        self._name = name
        self._timing = timing
        self._checkpoint = checkpoint

    def send(self, record: ActionRecord, executor: Executor) -> ActionRecord:
        """Takes an approved action as far as it goes. ``UpstreamError`` when the precondition cannot be checked."""
        if (doubted := self._doubted(record)) is not None:
            return doubted
        record = replace(record, held_by=HeldBy.NOTHING)  # it was proven by now
        now = self._now().at
        if record.approved_by == BY_POLICY and now - record.proposed_at >= self._timing.try_for:
            hours = self._timing.try_for.total_seconds() / 3600
            return self._store(record, state=ActionState.EXPIRED, note=f"not sent within {hours:g} h: {record.note}")
        if record.again_at is not None and now < record.again_at <= now + self._timing.longest_pause:
            return record
        try:
            objection = executor.precondition(record.action)
        except NotYetError as held:
            return self._store_if_news(record, f"held back: {held}")
        self._checkpoint("precondition_checked")
        if objection:
            return self._store(record, state=ActionState.REFUSED, note=objection)
        started = time.monotonic()
        claimed = self._claim(record)
        if claimed.state is not ActionState.SENDING:
            return claimed
        self._checkpoint("intent_recorded")
        return self._request(claimed, executor, started)

    def recover(self, record: ActionRecord, executor: Executor) -> ActionRecord:
        """Settles an action that somebody began to send. Leaves it as it is when it is too early to tell."""
        if not self.may_recover(record):
            return record
        since = self._since(record)
        try:
            receipt = executor.find_sent(record.action, since)
        except UpstreamError as problem:
            if is_overdue(record, self._now()):
                note = f"nobody knows whether it arrived, and nobody can be asked any more: {problem}"
                return self._store(record, state=ActionState.FAILED, note=note, sender="")
            return self._store_if_news(record, f"unknown whether it arrived: {problem}")
        self._checkpoint("asked_whether_it_arrived")
        if receipt is not None:
            return self._store(
                record, state=ActionState.SENT, note=f"found again: {receipt.detail}", sender="", receipt=receipt
            )
        return self._not_seen(record)

    def _not_seen(self, record: ActionRecord) -> ActionRecord:
        """Looked for in vain once more. Looked for long and often enough, it never arrived."""
        looks, given_up = record.looks + 1, record.spent or self._now()
        waited = elapsed(given_up, self._now())
        if looks < self._timing.looks or waited < self._timing.look_for:
            if looks > self._timing.looks:
                return record  # counted often enough: the time decides, and the audit log need not hold every look
            began = clock_time(given_up.at)
            note = f"unknown whether it arrived: sent at {began}, looked for {looks} times and not seen yet"
            return self._store(record, note=note, sender="", looks=looks)
        minutes = int(waited.total_seconds() // 60)
        if record.attempts >= self._timing.attempts:
            note = f"sent {record.attempts} times and never arrived" + (f"; {record.note}" if record.note else "")
            return self._store(record, state=ActionState.FAILED, note=note, sender="")
        note = f"not seen in {looks} looks over {minutes} minutes: it never arrived, so it is sent again"
        return self._store(record, state=ActionState.APPROVED, note=note, sender="")

    def may_recover(self, record: ActionRecord) -> bool:
        """Is its sender gone, and has the system had time to finish what it was asked?"""
        assert record.spent is not None, "it is noted when sending begins"
        waited = elapsed(record.spent, self._now())
        return waited >= (self._timing.lease if record.sender else self._timing.settle)

    def _doubted(self, record: ActionRecord) -> ActionRecord | None:
        """Where the audit log does not prove it: what was altered is never sent; what only cannot be proven now stays
        approved until it can, or expires. Asked before anything else: not even a look is taken at an altered target."""
        with self._journal.writing() as connection:
            doubt = doubt_about(connection, record, self._journal.anchor_path)
            if doubt is None:
                return None
            state, at = ActionState.REFUSED if doubt.altered else record.state, self._now().at
            after = replace(record, state=state, note=f"not sent: {doubt.text}", held_by=HeldBy.AUDIT)
            return record if after == record else journal.change(connection, record, _finished(after, at), at, CREW)

    def _claim(self, record: ActionRecord) -> ActionRecord:
        """Records the intent, if the action may still go ahead. From here on, only ``recover`` may send it again."""
        now = self._now()
        with self._journal.writing() as connection:
            past = journal.spendings(connection, now, record.commit, but=record.id)
            by_person = record.approved_by != BY_POLICY
            broken = is_audit_broken(connection)
            ruling = rule(
                record.action, self._settings, now.at, past, approved_by_person=by_person, audit_broken=broken
            )
            if ruling.state is not ActionState.APPROVED:
                after = replace(
                    record, state=ruling.state, note=ruling.note, held_by=ruling.held_by, spent=None, approved_by=""
                )
            elif self._settings.dry_run:
                after = replace(record, state=ActionState.DRY_RUN, note="dry run: it would have been sent", spent=now)
            else:
                after = replace(
                    record,
                    state=ActionState.SENDING,
                    note="",
                    sender=self._name,
                    spent=now,
                    attempts=record.attempts + 1,
                    looks=0,
                    again_at=None,
                )
            return journal.change(connection, record, _finished(after, now.at), now.at, CREW)

    def _request(self, claimed: ActionRecord, executor: Executor, started: float) -> ActionRecord:
        if time.monotonic() - started > self._timing.lease.total_seconds() / 2:
            # This process was held up; somebody else may soon take it for dead.
            return self._store(claimed, note="held up before sending", sender="")
        try:
            receipt = executor.send(claimed.action)
        except SendRefusedError as refusal:
            return self._store(claimed, state=ActionState.FAILED, note=f"refused: {refusal}", sender="")
        except UpstreamError as problem:
            if isinstance(problem, TemporaryError) and problem.not_accepted:
                return self._try_later(claimed, problem)
            # The time to settle begins now: the request itself may have taken most of a minute.
            note = f"unknown whether it arrived: {problem}"
            return self._store(claimed, note=note, sender="", spent=self._now())
        self._checkpoint("request_sent")
        return self._store_receipt(claimed, receipt)

    def _try_later(self, claimed: ActionRecord, refusal: TemporaryError) -> ActionRecord:
        """Back to approved: nothing arrived, so nothing was attempted."""
        now = self._now().at
        refusals, attempts = claimed.refusals + 1, claimed.attempts - 1
        pause = min(self._timing.first_pause * 2 ** min(claimed.refusals, 16), self._timing.longest_pause)
        again_at = now + max(pause, min(timedelta(seconds=refusal.retry_after or 0), self._timing.longest_pause))
        return self._store(
            claimed,
            state=ActionState.APPROVED,
            note=f"refused for now ({refusal}); tried again from {clock_time(again_at)} on",
            sender="",
            attempts=attempts,
            refusals=refusals,
            again_at=again_at,
        )

    def _store_receipt(self, claimed: ActionRecord, receipt: Receipt) -> ActionRecord:
        try:
            stored = self._store(claimed, state=ActionState.SENT, note=receipt.detail, sender="", receipt=receipt)
        except StaleRecordError:
            # Somebody took us for dead. The receipt must not be lost: it may be a second effect of the same action.
            log.error("action_receipt_came_late", action=claimed.id, receipt=receipt.external_id, url=receipt.url)
            with self._journal.writing() as connection:
                current = journal.get(connection, claimed.id)
                late = replace(current, note=f"{current.note} (a late answer says {receipt.external_id})".strip())
                if current.state is ActionState.SENDING:
                    # Others looked for it meanwhile: this is the answer that they were looking for.
                    late = replace(late, state=ActionState.SENT, note=receipt.detail, sender="", receipt=receipt)
                return journal.change(connection, current, late, self._now().at, CREW)
        self._checkpoint("receipt_recorded")
        return stored

    def _store(self, record: ActionRecord, **changed: object) -> ActionRecord:
        at = self._now().at
        after = _finished(replace(record, **changed), at)  # type: ignore[arg-type]
        with self._journal.writing() as connection:
            return journal.change(connection, record, after, at, CREW)

    def _store_if_news(self, record: ActionRecord, note: str) -> ActionRecord:
        # A system that is down for a night must not fill the audit log with one entry a minute.
        return record if record.note.startswith(note[:40]) else self._store(record, note=note, sender="")

    def _since(self, record: ActionRecord) -> datetime:
        assert record.spent is not None, "it is noted when sending begins"
        # The clock may have been set back in between: the earliest of the three is early enough.
        return min(record.spent.at, self._now().at, record.proposed_at) - self._timing.clock_difference


def _finished(record: ActionRecord, at: datetime) -> ActionRecord:
    return replace(record, finished_at=at) if record.state.final else record
