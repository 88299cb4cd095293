"""The ledger's table access: findings to rows and back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, func, insert, select, update

from opscrew.findings.life import FindingState
from opscrew.findings.records import Change, LedgerEntry, Suppression
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.store.database import serialize_writers
from opscrew.store.tables.findings import finding_changes, findings
from opscrew.store.text import (
    LONGEST_SENTENCE,
    evidence_from,
    storable,
    storable_evidence,
    storable_value,
)

_LEDGER_LOCK = "findings"

_NAMES_AT_ONCE = 500
"""Values in one ``IN (...)``. SQLite allows 32,766 and older builds 999."""

# Without evidence and details: a look at 5,000 findings need not parse what it will not use.
_LIGHT = (
    findings.c.fingerprint,
    findings.c.severity,
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
    for chunk in _chunks([name for name in named if name not in known]):
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
    for chunk in _chunks(list(fingerprints)):
        for entry in read(connection, select(findings).where(findings.c.fingerprint.in_(chunk)), now):
            found[entry.fingerprint] = entry
    return found


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


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(names), _NAMES_AT_ONCE):
        yield names[start : start + _NAMES_AT_ONCE]
