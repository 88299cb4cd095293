"""Reads what happened since the last look, from the ledger's and the actions' own history.

No job has to tell anybody: whatever writes a finding or an action writes its history in the same transaction, and that
history is read here by a cursor, which moves in the transaction that fills the outbox. So nothing is told twice and
nothing is forgotten, whoever is killed when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Table, and_, func, insert, not_, or_, select, update

from opscrew.actions import queries
from opscrew.actions.catalog import catalog
from opscrew.actions.records import ActionRecord
from opscrew.findings import rows
from opscrew.findings.codes import title_of
from opscrew.findings.life import FindingState
from opscrew.findings.records import LedgerEntry
from opscrew.model.action import ActionState
from opscrew.model.finding import Severity
from opscrew.notify.events import FAILING, Event, What
from opscrew.notify.rules import rules
from opscrew.store.tables.audit import audit_entries
from opscrew.store.tables.findings import finding_changes, findings
from opscrew.store.tables.notify import notify_cursors as cursors

ENDS = {
    ActionState.WAITING: What.WAITING,
    ActionState.SUCCEEDED: What.SUCCEEDED,
    ActionState.FAILED: What.FAILED,
    ActionState.EXPIRED: What.EXPIRED,
}
"""States of an action that are told. That it was approved or denied, somebody did who knows it."""


OVERDUE = "overdue"
"""The cursor of ``overdue``, which reads by time."""


@dataclass(frozen=True)
class _Span:
    """What a finding's changes since the last look come to."""

    fingerprint: str
    last: int
    at: datetime
    was_there: bool | None
    """Before them; ``None`` where nothing came or went."""
    was: Severity | None
    """Its severity before them; ``None`` where it did not change."""
    flaps: bool
    calmed: bool
    unmuted: bool


def read_new(connection: Connection, now: datetime) -> list[Event]:
    """Events since the last call, the oldest first. The first call of all gives none: the past is no news."""
    changes = _since(connection, finding_changes, finding_changes.c.id, now)
    told = list(_of_findings(connection, changes, now))
    told += _of_actions(connection, _since(connection, audit_entries, audit_entries.c.number, now), now)
    return sorted(told, key=lambda event: event.happened_at)


def overdue(connection: Connection, after: timedelta, now: datetime) -> list[Event]:
    """Findings that have been there for ``after`` since the last call, or whose mute ended when they had been. Read by
    the time that passed, so that thousands that are open for long cost nothing."""
    known = connection.execute(select(cursors).where(cursors.c.name == OVERDUE)).first()
    if known is None:
        connection.execute(insert(cursors).values(name=OVERDUE, position=0, at=now))
        return []
    if now <= known.at:  # the clock was set back: what was told stays told
        return []
    connection.execute(update(cursors).where(cursors.c.name == OVERDUE).values(at=now))
    since = findings.c.first_seen
    came_of_age = and_(since > known.at - after, since <= now - after)
    spoke_again = and_(since <= now - after, findings.c.suppressed_until > known.at, findings.c.suppressed_until <= now)
    there = and_(rows.unresolved(), not_(rows.in_state(FindingState.SUPPRESSED, now)), or_(came_of_age, spoke_again))
    return [
        _finding_event(entry, What.OVERDUE, f"since {entry.first_seen.isoformat()}", now, now)
        for entry in rows.read(connection, select(findings).where(there), now)
        if entry.finding.code not in rules().told_as_actions
    ]


def facts_of(entry: LedgerEntry, now: datetime) -> dict[str, Any]:
    """The words for a finding."""
    finding = entry.finding
    return {
        "id": entry.fingerprint,
        "title": title_of(finding.code),
        "subject": str(finding.subject),
        "cause": finding.cause,
        "next_step": finding.next_step,
        "url": finding.subject.url,
        "severity": finding.severity.value,
        "age": age((entry.resolved_at or now) - entry.first_seen),
    }


def age(length: timedelta) -> str:
    """ "5 minutes", "3 hours", "2 days"."""
    minutes = max(0, round(length.total_seconds() / 60))
    for unit, size in (("day", 1440), ("hour", 60)):
        if minutes >= 2 * size:
            return f"{minutes // size} {unit}s"
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def _since(connection: Connection, table: Table, number: Any, now: datetime) -> Sequence[Row[Any]]:
    """The table's rows behind its cursor, which moves to the end. ``at`` of the cursor is the latest time read."""
    newest = int(connection.execute(select(func.max(number))).scalar() or 0)
    known = connection.execute(select(cursors).where(cursors.c.name == table.name)).first()
    if known is None:
        written = connection.execute(select(table.c.at).order_by(table.c.at.desc()).limit(1)).scalar()
        latest = max(now, _moment(written)) if written else now
        connection.execute(insert(cursors).values(name=table.name, position=newest, at=latest))
        return ()
    wanted = number > known.position
    if table is finding_changes:
        # Old changes are forgotten, and a table that was emptied counts from 1 again; then the time tells what is new.
        wanted |= table.c.at > known.at
    found = connection.execute(select(table).where(wanted).order_by(number)).all()
    if found:
        latest = max(known.at, *(_moment(row.at) for row in found))
        connection.execute(update(cursors).where(cursors.c.name == table.name).values(position=newest, at=latest))
    return found


def _moment(stored: datetime | str) -> datetime:
    """The audit log keeps its times as text, of which a hash is made."""
    return datetime.fromisoformat(stored) if isinstance(stored, str) else stored


def _of_findings(connection: Connection, changes: Iterable[Row[Any]], now: datetime) -> Iterator[Event]:
    spans = _spans(changes)
    entries = rows.entries(connection, spans, now)
    for fingerprint, span in spans.items():
        entry = entries.get(fingerprint)
        if entry is None or entry.state is FindingState.SUPPRESSED or entry.finding.code in rules().told_as_actions:
            continue
        what = _what(span, entry)
        if what is not None:
            yield _finding_event(entry, what, f"{span.last} {span.at.isoformat()}", span.at, now)


def _what(span: _Span, entry: LedgerEntry) -> What | None:
    """What is to be told. What came and went between two looks is nothing, and so is what flaps on."""
    there = entry.state is not FindingState.RESOLVED
    if entry.state is FindingState.FLAPPING:
        return What.FLAPPING if span.flaps else None
    if not there:
        return What.FIXED if span.was_there or span.calmed else None
    if span.was_there is False or span.unmuted:
        return What.NEW
    return What.WORSE if span.was is not None and entry.finding.severity.rank > span.was.rank else None


def _spans(changes: Iterable[Row[Any]]) -> dict[str, _Span]:
    by_finding: dict[str, list[Row[Any]]] = {}
    for row in changes:
        by_finding.setdefault(row.fingerprint, []).append(row)
    return {fingerprint: _span(fingerprint, found) for fingerprint, found in by_finding.items()}


def _span(fingerprint: str, changes: Sequence[Row[Any]]) -> _Span:
    first = next((row.change for row in changes if row.change in ("appeared", "gone")), None)
    severity = next((row.detail.partition(" to ")[0] for row in changes if row.change == "severity"), None)
    names = {row.change for row in changes}
    return _Span(
        fingerprint,
        last=changes[-1].id,
        at=changes[-1].at,
        was_there=None if first is None else first == "gone",
        was=Severity(severity) if severity else None,
        flaps="flapping" in names,
        calmed="calm" in names,
        unmuted="unsuppressed" in names,
    )


def _finding_event(entry: LedgerEntry, what: What, suffix: str, at: datetime, now: datetime) -> Event:
    finding = entry.finding
    return Event(
        key=f"{entry.fingerprint} {what} {suffix}",
        about=entry.fingerprint,
        what=what,
        kind=rules().kind_of(finding.code),
        severity=finding.severity,
        code=finding.code,
        scope=finding.subject.scope,
        happened_at=at,
        facts=facts_of(entry, now),
        started_at=entry.first_seen,
        channel=finding.subject.name if finding.code == FAILING else "",
    )


def _of_actions(connection: Connection, entries: Iterable[Row[Any]], now: datetime) -> Iterator[Event]:
    latest = {row.action: row for row in entries if row.event in list(ENDS)}
    for record in queries.by_id(connection, list(latest)):
        row = latest[record.id]
        what = ENDS.get(record.state)
        if what is not None and record.state.value == row.event:  # what was decided meanwhile waits no more
            yield _action_event(record, what, row, now)


def _action_event(record: ActionRecord, what: What, row: Row[Any], now: datetime) -> Event:
    action, kind = record.action, catalog().get(record.action.kind)
    return Event(
        key=f"{record.id} {what} {row.number}",
        # A failure is also a finding: in one message, one of the two is enough.
        about=(action.finding or record.id) if what is What.FAILED else record.id,
        what=what,
        kind="actions",
        severity=Severity.WARNING if what in (What.WAITING, What.FAILED) else Severity.INFO,
        code=f"ACTION_{record.state.value.upper()}",
        scope=action.target.scope,
        happened_at=_moment(row.at),
        facts={
            "id": record.id,
            "title": kind.title if kind else action.kind,
            "subject": str(action.target),
            "cause": action.reason,
            "note": record.note,
            "url": (record.receipt.url if record.receipt else "") or action.target.url,
        },
    )
