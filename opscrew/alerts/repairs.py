"""From the likeliest cause to a repair: always a kind of the action catalog on a known object, never free text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from opscrew.alerts.causes import Candidate, CauseRules, Ownership
from opscrew.alerts.groups import Group
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import is_exporter
from opscrew.model.action import Action
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.reading_time import minute

WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet")


def proposed_repair(
    group: Group, candidates: Sequence[Candidate], rules: CauseRules, *, finding: str = ""
) -> Action | None:
    """The repair of the first candidate, if there is one that fits and it is no guess."""
    if not candidates or candidates[0].score < rules.repair_from:
        return None
    first = candidates[0]
    kind = rules.repairs.get(first.clue.cause, "")
    target, parameters = _target_of(kind, first)
    if not kind or target is None or parameters is None:
        return None
    reason = f"{group.title}: {first.clue.text} ({first.why})"
    return Action(
        kind=kind,
        target=target,
        parameters=dict(parameters),
        reason=reason,
        evidence=first.clue.evidence,
        finding=finding,
        # One repair of a kind per group: a second one needs a new incident, or a person.
        idempotency_key=f"alert/{group.id}/{kind}/{target.key}",
    )


def silence(alert: KnownAlert, group: Group, rules: CauseRules, *, finding: str = "") -> Action | None:
    """A silence for an alert that flaps; only Alertmanager's own alerts can be silenced there."""
    identity = alert.sources.get("alertmanager", "")
    if not identity or alert.silenced:
        return None
    return Action(
        kind="silence_alert",
        target=Subject(system="alertmanager", kind="alert", name=identity, url=alert.url),
        parameters={"minutes": rules.silence_minutes},
        reason=f"{alert.name} flaps; a silence gives time to mend its cause",
        evidence=(
            Evidence(
                source="crew alerts",
                text=f"{len(alert.changes)} changes since {minute(alert.changes[0])}",
                observed_at=alert.last_seen,
            ),
        ),
        finding=finding,
        idempotency_key=f"alert/{group.id}/silence_alert/{identity}",
    )


def _target_of(kind: str, candidate: Candidate) -> tuple[Subject | None, Mapping[str, Any] | None]:
    """The object to act on and its parameters; (None, None) where the facts for it are missing."""
    clue, facts = candidate.clue, candidate.clue.facts
    nothing = (None, None)
    # A neighbour of the alert may be the cause, but acting on it needs a person who knows both.
    if clue.subject is None or candidate.ownership is not Ownership.SAME or is_exporter(clue.subject):
        return nothing
    workload = _workload(clue.subject, facts)
    if workload is not None and is_exporter(workload):
        return nothing
    if kind == "delete_stuck_pod":
        if clue.subject.kind != "Pod" or not facts.get("uid"):
            return nothing
        owner = {"owner": facts["owner"]} if facts.get("owner") else {}
        return clue.subject, {"uid": facts["uid"], **owner}
    if workload is None:
        return nothing
    if kind == "roll_back_workload":
        return (workload, {"to_revision": facts["to_revision"]}) if facts.get("to_revision") else nothing
    if kind == "scale_workload":
        replicas = facts.get("replicas")
        if not isinstance(replicas, int) or workload.kind == "DaemonSet" or replicas < 1:
            return nothing
        return workload, {"replicas": min(replicas + max(1, replicas // 2), 50)}
    return workload, {}


def _workload(subject: Subject, facts: Mapping[str, Any]) -> Subject | None:
    """The workload itself, or the one that the facts name as ``workload``: "Deployment/web"."""
    if subject.kind in WORKLOADS:
        return subject
    kind, _, name = str(facts.get("workload", "")).partition("/")
    if kind not in WORKLOADS or not name:
        return None
    return Subject(system=subject.system, kind=kind, scope=subject.scope, name=name)
