"""What people should know about actions, as findings: what waits, what is uncertain, what failed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from opscrew.actions.catalog import catalog
from opscrew.actions.records import ActionRecord, HeldBy
from opscrew.actions.verification import AuditCheck
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.store.tables.findings import findings

UNCERTAIN_AFTER = timedelta(minutes=5)
"""Longer than lease and settling together: a system that answers has settled the question by then."""

AUDIT_BROKEN = "AUDIT_BROKEN"

FAILED_FOR = timedelta(hours=24)
"""How long a failed action is held up as a finding, a working day and a night."""


def findings_of(records: Iterable[ActionRecord], now: datetime) -> list[Finding]:
    """Every finding about these actions. Give it all that are unfinished, and those that ended within a day."""
    found: list[Finding] = []
    out_of_budget: list[ActionRecord] = []
    for record in records:
        if record.state is ActionState.WAITING:
            found.append(_about(record, "ACTION_WAITING", f"it waits for a person: {record.note}"))
            if record.held_by is HeldBy.BUDGET:
                out_of_budget.append(record)
        elif record.state is ActionState.SENDING and _is_uncertain(record, now):
            found.append(_about(record, "ACTION_UNCERTAIN", record.note or "its sender is gone"))
        elif record.state is ActionState.FAILED and record.finished_at and now - record.finished_at < FAILED_FOR:
            kind = catalog().get(record.action.kind)
            found.append(_about(record, kind.failed_code if kind else "ACTION_FAILED", record.note))
    if out_of_budget:
        found.append(_budget(out_of_budget))
    return found


def is_audit_broken(connection: Connection) -> bool:
    """Whether AUDIT_BROKEN stands. That a person muted it changes nothing."""
    query = select(findings.c.fingerprint).where(findings.c.code == AUDIT_BROKEN, findings.c.state != "resolved")
    return connection.execute(query.limit(1)).first() is not None


def audit_finding(check: AuditCheck) -> Finding | None:
    """The finding for an audit log that was tampered with; ``None`` when it is intact."""
    if check.intact:
        return None
    subject = Subject(system="crew", kind="audit log", name="audit log")
    more = f" (and {len(check.problems) - 1} more)" if len(check.problems) > 1 else ""
    return finding(AUDIT_BROKEN, subject, check.problems[0] + more, details={"problems": list(check.problems)})


def observe_audit(ledger: Ledger, check: AuditCheck) -> None:
    """Raises AUDIT_BROKEN, or ends it, as the log now is."""
    broken = audit_finding(check)
    ledger.observe("audit", [broken] if broken else [], complete=True)


def _is_uncertain(record: ActionRecord, now: datetime) -> bool:
    # With a note somebody tried and could not tell; without one it may simply be under way.
    return bool(record.note) or (record.spent is not None and now - record.spent.at > UNCERTAIN_AFTER)


def _about(record: ActionRecord, code: str, cause: str) -> Finding:
    action = record.action
    kind = catalog().get(action.kind)
    title = kind.title if kind else action.kind
    details = {"action": record.id, "kind": action.kind, "reason": action.reason}
    # A failure under a code of its own domain is the same finding whoever reports it, so it has no aspect.
    aspect = record.id if code.startswith("ACTION_") else ""
    return finding(code, action.target, f"{title}: {cause}", aspect=aspect, evidence=action.evidence, details=details)


def _budget(waiting: list[ActionRecord]) -> Finding:
    subject = Subject(system="crew", kind="budget", name="actions")
    number = f"{len(waiting)} actions wait" if len(waiting) > 1 else "1 action waits"
    details = {"actions": [record.id for record in waiting]}
    return finding("BUDGET_EXHAUSTED", subject, f"{number}: {waiting[-1].note}", details=details)
