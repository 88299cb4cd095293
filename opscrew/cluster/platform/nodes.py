"""Nodes that are not ready, under pressure, or report a fault of their own."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import Condition, find_condition, read_conditions
from opscrew.cluster.custom.vocabulary import words_of
from opscrew.cluster.platform.node_losses import loss_of
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mappings, text
from tools.kubernetes.records import Resource

_PRESSURES = {
    "MemoryPressure": "is running out of memory and evicts pods",
    "DiskPressure": "is running out of disk and evicts pods",
    "PIDPressure": "is running out of process ids and evicts pods",
    "NetworkUnavailable": "has no working pod network",
}
# Words of a condition type that is good when True, as node agents and small distributions write them: "StorageReady",
# "EtcdIsVoter". Participles promise nothing here: "VMEventScheduled" is bad news.
_GOOD_WORDS = frozenset({
    "active", "available", "connected", "healthy", "is", "ok", "online", "reachable", "ready", "running", "sufficient",
    "synced", "up", "valid",
})  # fmt: skip
# Taints that autoscalers put on a node before they take its machine away.
_LEAVING_TAINTS = ("ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption")


def check_nodes(snapshot: Snapshot) -> Iterator[Problem]:
    """node-problem-detector's conditions are bad when True; those that promise something are bad when False."""
    for node in snapshot.of("Node"):
        conditions = read_conditions(node.status)
        ready = find_condition(conditions, "Ready")
        if ready is None or ready.status is not True:
            yield from _not_ready(snapshot, node, ready)
            continue  # a kubelet that does not report makes all its other conditions Unknown
        for condition in conditions:
            good_when_true = not _GOOD_WORDS.isdisjoint(words_of(condition.type))
            if condition.type != "Ready" and condition.status is not None and condition.status is not good_when_true:
                yield _faulty(node, condition)
        yield from _cordoned(snapshot, node)


def _not_ready(snapshot: Snapshot, node: Resource, ready: Condition | None) -> Iterator[Problem]:
    young = snapshot.age(node.created_at) <= seconds(thresholds().settle_seconds)
    if node.created_at is not None and young and (ready is None or ready.status is False) and snapshot.dated:
        return
    if _is_leaving(snapshot, node, ready):
        return
    if ready is None:
        if node.status:
            yield Problem("NODE_NOT_READY", node, "NotReady", "The node has never reported that it is ready.")
        return
    reason = ready.reason or "NotReady"
    says = ready.message or reason
    cause = f"The kubelet does not report any more: {says}" if ready.status is None else f"Not ready: {says}"
    hit = loss_of(snapshot, node)
    yield Problem("NODE_NOT_READY", node, reason, cause, facts=hit.facts, affects=hit.resources)


def _is_leaving(snapshot: Snapshot, node: Resource, ready: Condition | None) -> bool:
    """Whether the node is being taken away, and falls silent for that reason; for as long as that may take."""
    taints = {text(taint, "key") for taint in mappings(node.spec, "taints")}
    leaving = node.deleting_since is not None or not taints.isdisjoint(_LEAVING_TAINTS)
    since = ready.since if ready is not None else node.deleting_since
    return leaving and snapshot.age(since) <= seconds(thresholds().rollout_seconds)


def _faulty(node: Resource, condition: Condition) -> Problem:
    if condition.type in _PRESSURES:
        cause = f"The node {_PRESSURES[condition.type]}: {condition.message or condition.reason}"
        return Problem("NODE_UNDER_PRESSURE", node, condition.type, cause, aspect=condition.type)
    said = condition.type if condition.status else f"{condition.type} is False"
    cause = f"The node reports {said}: {condition.message or condition.reason}"
    return Problem("NODE_FAULT_REPORTED", node, condition.reason or condition.type, cause, aspect=condition.type)


def _cordoned(snapshot: Snapshot, node: Resource) -> Iterator[Problem]:
    if node.spec.get("unschedulable") is not True:
        return
    since = next(
        (
            t
            for taint in mappings(node.spec, "taints")
            if (t := text(taint, "timeAdded")) and "unschedulable" in text(taint, "key")
        ),
        "",
    )
    when = f" since {since}" if since else ""
    yield Problem(
        "NODE_CORDONED", node, "SchedulingDisabled", f"Somebody cordoned the node{when}; it takes no new pods."
    )
