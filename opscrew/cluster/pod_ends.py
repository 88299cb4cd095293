"""Pods that ended badly: evicted, failed, or out of sight; and those of them that somebody has made up for."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.custom_health import judge
from opscrew.cluster.problem import Problem
from opscrew.cluster.sign import Health
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads import wanted_replicas
from opscrew.model.finding import Severity
from tools.kubernetes.fields import number, text
from tools.kubernetes.records import Resource


def is_left_to_its_owner(snapshot: Snapshot, pod: Resource) -> bool:
    """Whether a failed pod is its owner's affair: a Job replaces it until its own limit, and an operator that is not
    failed itself has tried again or goes on without it."""
    owner = snapshot.owner_of(pod)
    if owner is None or text(pod.status, "phase") != "Failed":
        return False
    if owner.is_custom:
        return bool(owner.status) and judge(owner).health is not Health.FAILED
    if owner.kind != "Job":
        return False
    failed = find_condition(read_conditions(owner.status), "Failed")
    return failed is None or failed.status is not True


def evicted(snapshot: Snapshot, pod: Resource) -> Problem:
    """The node was short of something, and this pod had to go."""
    message = text(pod.status, "message")
    cause = f"The node evicted the pod: {message or 'no reason given'}"
    facts = (message,) if message else ()
    return Problem("POD_EVICTED", pod, "Evicted", cause, facts=facts, severity=_severity(snapshot, pod))


def failed(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    """It failed as a whole, and none of its containers says why."""
    reason, message = text(pod.status, "reason"), text(pod.status, "message")
    ready = find_condition(read_conditions(pod.status), "Ready")
    if not reason and ready is not None and ready.reason == "PodCompleted":
        return  # the kubelet's word that it ran to its end
    cause = f"The pod failed: {message or reason or 'no reason given'}"
    yield Problem("POD_FAILED", pod, reason or "Failed", cause, severity=_severity(snapshot, pod))


def _severity(snapshot: Snapshot, pod: Resource) -> Severity | None:
    """Info where the workload has all its replicas again: what is left of the pod only waits to be cleaned away."""
    return Severity.INFO if _was_replaced(snapshot, pod) else None


def _was_replaced(snapshot: Snapshot, pod: Resource) -> bool:
    owner = snapshot.owner_of(pod)
    if owner is None or owner.kind not in ("ReplicaSet", "StatefulSet", "DaemonSet"):
        return False
    ready = number(owner.status, "readyReplicas") or number(owner.status, "numberReady") or 0
    if owner.kind == "DaemonSet":
        return ready >= (number(owner.status, "desiredNumberScheduled") or 0)
    return ready >= wanted_replicas(owner)
