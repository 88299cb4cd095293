"""The ledger's table access: findings to rows and back."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    case,
    cast,
    desc,
    false,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)

from opscrew.findings.life import FindingState
from opscrew.findings.records import Change, LedgerEntry, Suppression
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.store.database import chunks, serialize_writers
from opscrew.store.tables.findings import finding_changes, findings
from opscrew.store.text import (
    LONGEST_SENTENCE,
    evidence_from,
    storable,
    storable_evidence,
    storable_value,
)

_LEDGER_LOCK = "findings"

# Without evidence and details: a look at 5,000 findings need not parse what it will not use.
_LIGHT = (
    findings.c.fingerprint,
    findings.c.severity,
    findings.c.system,
    findings.c.kind,
    findings.c.scope,
    findings.c.name,
    findings.c.sources,
    findings.c.state,
    findings.c.present,
    findings.c.occasion,
    findings.c.occurrences,
    findings.c.first_seen,
    findings.c.last_seen,
    findings.c.changed_at,
    findings.c.resolved_at,
)


def serialize(connection: Connection) -> None:
    """One observation at a time, so that two looks cannot both call the same finding new."""
    serialize_writers(connection, _LEDGER_LOCK)


def present_or_named(connection: Connection, named: Collection[str]) -> dict[str, Row[Any]]:
    """Every unresolved finding, and those of ``named`` that exist, by fingerprint."""
    query: Select[Any] = select(*_LIGHT)
    known: dict[str, Row[Any]] = {
        row.fingerprint: row for row in connection.execute(query.where(findings.c.state != "resolved"))
    }
    for chunk in chunks([name for name in named if name not in known]):
        for row in connection.execute(query.where(findings.c.fingerprint.in_(chunk))):
            known[row.fingerprint] = row
    return known


def recent_changes(connection: Connection, since: datetime) -> dict[str, int]:
    """How often each finding came or went since a time."""
    query = (
        select(finding_changes.c.fingerprint, func.count())
        .where(finding_changes.c.at >= since, finding_changes.c.change.in_(["appeared", "gone"]))
        .group_by(finding_changes.c.fingerprint)
    )
    return {fingerprint: count for fingerprint, count in connection.execute(query)}


def values_of(finding: Finding) -> dict[str, Any]:
    """The columns that describe the finding itself, fit to be stored."""
    subject = finding.subject
    return {
        "fingerprint": finding.fingerprint,
        "code": finding.code,
        "severity": finding.severity.value,
        "system": storable(subject.system),
        "kind": storable(subject.kind),
        "scope": storable(subject.scope),
        "name": storable(subject.name),
        "url": storable(subject.url, LONGEST_SENTENCE),
        "aspect": storable(finding.aspect),
        "family": finding.family,
        "occasion": storable(finding.occasion, 64),
        "cause": storable(finding.cause, LONGEST_SENTENCE),
        "next_step": storable(finding.next_step, LONGEST_SENTENCE),
        "reason": storable(finding.reason),
        "evidence": storable_evidence(finding.evidence),
        "details": storable_value(finding.details),
    }


def first_values(source: str, now: datetime) -> dict[str, Any]:
    """The columns that a finding starts with."""
    return {
        "sources": [source],
        "occurrences": 1,
        "first_seen": now,
        "last_seen": now,
        "suppressed_until": None,
        "suppressed_reason": "",
        "suppressed_by": "",
    }


def write(
    connection: Connection,
    inserts: Sequence[Mapping[str, Any]],
    updates: Sequence[Mapping[str, Any]],
    missing: Sequence[Mapping[str, Any]],
) -> None:
    """Stores one look. The rows of each list have the same keys, so each list is one prepared statement."""
    if inserts:
        connection.execute(insert(findings), list(inserts))
    for changed in (updates, missing):
        if changed:
            columns: dict[str, Any] = {name: bindparam(f"b_{name}") for name in changed[0] if name != "fingerprint"}
            statement = update(findings).where(findings.c.fingerprint == bindparam("b_fingerprint")).values(columns)
            connection.execute(statement, [{f"b_{name}": value for name, value in row.items()} for row in changed])


def write_history(connection: Connection, history: Sequence[tuple[str, Change]]) -> None:
    """Appends changes."""
    if history:
        connection.execute(
            insert(finding_changes),
            [
                {
                    "fingerprint": fingerprint,
                    "at": change.at,
                    "change": change.change,
                    "detail": storable(change.detail),
                }
                for fingerprint, change in history
            ],
        )


def entries(connection: Connection, fingerprints: Collection[str], now: datetime) -> dict[str, LedgerEntry]:
    """The stored findings by fingerprint."""
    found: dict[str, LedgerEntry] = {}
    for chunk in chunks(list(fingerprints)):
        for entry in read(connection, select(findings).where(findings.c.fingerprint.in_(chunk)), now):
            found[entry.fingerprint] = entry
    return found


def in_state(state: FindingState, now: datetime) -> ColumnElement[bool]:
    """Findings in this state at this moment: "suppressed" lies over the stored one for a time."""
    muted = func.coalesce(findings.c.suppressed_until > now, false())
    if state is FindingState.RESOLVED:
        return findings.c.state == state.value
    if state is FindingState.SUPPRESSED:
        return and_(findings.c.state != FindingState.RESOLVED.value, muted)
    return and_(findings.c.state == state.value, not_(muted))


def coded(beginnings: Iterable[str]) -> ColumnElement[bool]:
    """Findings whose code begins with one of these."""
    return or_(false(), *(findings.c.code.startswith(one, autoescape=True) for one in beginnings))


def naming(words: Iterable[str]) -> ColumnElement[bool]:
    """Findings whose subject or details hold one of these somewhere: more than are meant, never fewer."""
    details = cast(findings.c.details, Text)
    held = [
        column.contains(text, autoescape=True)
        for word in words
        for column, text in (
            (findings.c.name, word),
            (findings.c.scope, word),
            (details, json.dumps(word)[1:-1]),
        )
    ]
    return or_(false(), *held)


def unresolved() -> ColumnElement[bool]:
    """Findings that are there, muted or not."""
    return findings.c.state != FindingState.RESOLVED.value


def standing_between(start: datetime, end: datetime) -> ColumnElement[bool]:
    """Findings that were there at any time of this span."""
    ended_later = or_(findings.c.resolved_at.is_(None), findings.c.resolved_at >= start)
    return and_(findings.c.first_seen <= end, ended_later)


def resolved_since(moment: datetime) -> ColumnElement[bool]:
    """Findings that ended at or after a moment."""
    return findings.c.resolved_at >= moment


def forgettable(resolved_before: datetime, unseen_since: datetime) -> ColumnElement[bool]:
    """Findings that ended before the one moment, or are open and were last seen before the other."""
    ended = and_(findings.c.state == FindingState.RESOLVED.value, findings.c.resolved_at < resolved_before)
    return or_(ended, and_(unresolved(), findings.c.last_seen < unseen_since))


def gravest_first(query: Select[Any]) -> Select[Any]:
    """Orders by severity, then the latest seen: before any limit, so that a limit leaves out what matters least."""
    ranks = {severity.value: severity.rank for severity in Severity}
    rank = case(ranks, value=findings.c.severity, else_=0)
    return query.order_by(rank.desc(), findings.c.last_seen.desc(), findings.c.fingerprint)


def count_by_severity(connection: Connection, wanted: ColumnElement[bool]) -> dict[Severity, int]:
    """How many findings there are of each severity; none is left out."""
    query = select(findings.c.severity, func.count()).where(wanted).group_by(findings.c.severity)
    counted = {severity: count for severity, count in connection.execute(query)}
    return {severity: counted.get(severity.value, 0) for severity in Severity}


def subjects(connection: Connection) -> list[Subject]:
    """What any finding is about, each once; the addresses are left out."""
    columns = (findings.c.system, findings.c.kind, findings.c.scope, findings.c.name)
    query = select(*columns, func.max(findings.c.last_seen).label("at")).group_by(*columns)
    return [subject_of(row) for row in connection.execute(query.order_by(desc("at"), *columns))]


def subject_of(row: Any) -> Subject:
    """What the finding of a row with these four columns is about; its address is left out."""
    return Subject(system=row.system, kind=row.kind, scope=row.scope, name=row.name)


def read(connection: Connection, query: Select[Any], now: datetime) -> list[LedgerEntry]:
    """Rows of a query over the whole findings table as entries."""
    return [_entry(row, now) for row in connection.execute(query)]


def _entry(row: Row[Any], now: datetime) -> LedgerEntry:
    state = FindingState(row.state)
    muted = row.suppressed_until is not None and row.suppressed_until > now
    return LedgerEntry(
        fingerprint=row.fingerprint,
        finding=Finding(
            code=row.code,
            severity=Severity(row.severity),
            subject=Subject(system=row.system, kind=row.kind, scope=row.scope, name=row.name, url=row.url),
            cause=row.cause,
            next_step=row.next_step,
            reason=row.reason,
            aspect=row.aspect,
            family=row.family,
            occasion=row.occasion,
            evidence=evidence_from(row.evidence),
            details=row.details,
        ),
        state=FindingState.SUPPRESSED if muted and state is not FindingState.RESOLVED else state,
        occurrences=row.occurrences,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        resolved_at=row.resolved_at,
        sources=tuple(row.sources),
        suppression=Suppression(row.suppressed_until, row.suppressed_reason, row.suppressed_by) if muted else None,
    )
