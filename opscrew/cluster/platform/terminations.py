"""Everything but pods that should be gone and is not: finalizers nobody answers for, namespaces that cannot empty."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.model.finding import Severity
from opscrew.reading_time import span
from tools.kubernetes.records import Resource


def check_terminations(snapshot: Snapshot) -> Iterator[Problem]:
    """Namespaces say themselves what is left; for the rest the finalizers are named."""
    for resource in snapshot.resources.values():
        if resource.deleting_since is None or resource.kind == "Pod":
            continue
        age = snapshot.age(resource.deleting_since)
        if age <= seconds(thresholds().finalizer_seconds):
            continue
        why = _remaining(resource) or f"held by {', '.join(resource.finalizers) or 'no finalizer that it shows'}"
        cause = f"It is being deleted for {span(age)}: {why}"
        # Without a date nobody knows that the file was not written seconds after the deletion was asked for.
        severity = None if snapshot.dated else Severity.INFO
        yield Problem("TERMINATING_STUCK", resource, "Terminating", cause, severity=severity)


def _remaining(resource: Resource) -> str:
    """What a namespace says is left in it."""
    if resource.kind != "Namespace":
        return ""
    return "; ".join(condition.message for condition in read_conditions(resource.status) if condition.status)[:300]
