"""Deployments and bare ReplicaSets: rollouts past their own deadline, and pods that cannot be created."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import Condition, find_condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.replicas import (
    check_creation,
    has_lasted,
    is_outdated,
    shortage_severity,
    wanted_replicas,
)
from tools.kubernetes.fields import number
from tools.kubernetes.records import Resource


def check_deployments(snapshot: Snapshot) -> Iterator[Problem]:
    """Kubernetes keeps the deadline itself: ``Progressing`` turns False with ProgressDeadlineExceeded."""
    for deployment in snapshot.of("Deployment"):
        if deployment.deleting_since or is_outdated(deployment) or deployment.spec.get("paused") is True:
            continue
        refused = list(check_creation(snapshot, deployment))
        if refused:
            yield from refused
        else:
            yield from _rollout(snapshot, deployment)


def _rollout(snapshot: Snapshot, deployment: Resource) -> Iterator[Problem]:
    conditions = read_conditions(deployment.status)
    progressing, available = (find_condition(conditions, kind) for kind in ("Progressing", "Available"))
    wanted, ready = wanted_replicas(deployment), number(deployment.status, "readyReplicas") or 0
    facts = (f"{ready} of {wanted} replicas ready",)
    if progressing and progressing.status is False and progressing.reason == "ProgressDeadlineExceeded":
        cause = f"The rollout has passed its deadline with {ready} of {wanted} replicas ready."
        severity = shortage_severity(ready)
        yield Problem("DEPLOYMENT_ROLLOUT_STUCK", deployment, progressing.reason, cause, facts=facts, severity=severity)
    elif (
        available and available.status is False and _has_outlasted_rollout(snapshot, deployment, available, progressing)
    ):
        cause = f"Only {ready} of {wanted} replicas are ready: {available.message or available.reason}"
        reason = available.reason or "Unavailable"
        severity = shortage_severity(ready)
        yield Problem("DEPLOYMENT_UNAVAILABLE", deployment, reason, cause, facts=facts, severity=severity)


def _has_outlasted_rollout(
    snapshot: Snapshot, deployment: Resource, available: Condition, progressing: Condition | None
) -> bool:
    """Whether the shortage is older than a rollout may take, so that nobody is merely rolling out."""
    rolled_out = progressing is not None and progressing.reason == "NewReplicaSetAvailable"
    deadline = number(deployment.spec, "progressDeadlineSeconds") or 600
    limit = thresholds().settle_seconds if rolled_out else deadline
    return snapshot.age(available.since) > seconds(limit)


def check_replica_sets(snapshot: Snapshot) -> Iterator[Problem]:
    """Refused creation is visible here before the Deployment's condition; bare ones are judged fully."""
    for replica_set in snapshot.of("ReplicaSet"):
        if replica_set.deleting_since or is_outdated(replica_set) or wanted_replicas(replica_set) == 0:
            continue
        refused = list(check_creation(snapshot, replica_set))
        if refused:
            yield from refused
            continue
        wanted, ready = wanted_replicas(replica_set), number(replica_set.status, "readyReplicas") or 0
        bare = not replica_set.owners
        if bare and ready < wanted and has_lasted(snapshot, replica_set):
            cause = f"Only {ready} of {wanted} replicas are ready."
            yield Problem(
                "REPLICA_SET_UNAVAILABLE", replica_set, "ReplicasNotReady", cause, severity=shortage_severity(ready)
            )
