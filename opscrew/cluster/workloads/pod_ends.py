"""Pods that ended badly: evicted, failed, or out of sight; and those of them that somebody has made up for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.custom.health import judge
from opscrew.cluster.custom.sign import Health
from opscrew.cluster.network.services import is_ready
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.replicas import wanted_replicas
from opscrew.cluster.workloads.runs import later_success
from tools.kubernetes.fields import mapping, mappings, moment, number, text
from tools.kubernetes.records import Reference, Resource

_REPLACING_KINDS = ("ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")


def is_history(snapshot: Snapshot, pod: Resource) -> bool:
    """Whether a failed pod is made up for: its owner retries by itself or has succeeded since, or another pod has taken
    its place (after a node's shutdown, a preemption, an eviction). What is left of it only waits to be cleaned away."""
    if text(pod.status, "phase") != "Failed":
        return False
    return _is_left_to_its_owner(snapshot, pod) or _was_replaced(snapshot, pod)


def _is_left_to_its_owner(snapshot: Snapshot, pod: Resource) -> bool:
    """A Job replaces its pod until its own limit, and an operator that is not failed itself has tried again or goes on
    without it."""
    owner = snapshot.owner_of(pod)
    if owner is None:
        return False
    if owner.is_custom:
        failed = judge(owner).health is Health.FAILED
        return bool(owner.status) and (not failed or later_success(snapshot, owner) is not None)
    if owner.kind != "Job":
        return False
    condition = find_condition(read_conditions(owner.status), "Failed")
    return condition is None or condition.status is not True or later_success(snapshot, owner) is not None


def evicted(pod: Resource) -> Problem:
    """The node was short of something, and this pod had to go."""
    message = text(pod.status, "message")
    cause = f"The node evicted the pod: {message or 'no reason given'}"
    return Problem("POD_EVICTED", pod, "Evicted", cause, facts=(message,) if message else ())


def failed(pod: Resource) -> Iterator[Problem]:
    """It failed as a whole, and none of its containers says why."""
    reason, message = text(pod.status, "reason"), text(pod.status, "message")
    ready = find_condition(read_conditions(pod.status), "Ready")
    if not reason and ready is not None and ready.reason == "PodCompleted":
        return  # the kubelet's word that it ran to its end
    cause = f"The pod failed: {message or reason or 'no reason given'}"
    next_step = "" if pod.owners else "Nothing makes it again: start it anew, or give it an owner such as a Deployment."
    yield Problem("POD_FAILED", pod, reason or "Failed", cause, next_step=next_step)


def _was_replaced(snapshot: Snapshot, pod: Resource) -> bool:
    reference = next((owner for owner in pod.owners if owner.kind in _REPLACING_KINDS), None)
    if reference is None:
        return False
    owner = snapshot.owner_of(pod)
    living = [other for other in _siblings(snapshot, pod, reference) if _lives(other)]
    # Right after an eviction the pod is what explains the shortage, whether or not the next one waits already.
    is_news = text(pod.status, "reason") == "Evicted" and not _ended_long_ago(snapshot, pod)
    if owner is None:
        later = [other for other in living if _later(other.created_at, pod.created_at)]
        return any(is_ready(other) or not is_news for other in later)
    if owner.kind == "DaemonSet":
        wanted, ready = number(owner.status, "desiredNumberScheduled") or 0, number(owner.status, "numberReady") or 0
    else:
        wanted, ready = wanted_replicas(owner), number(owner.status, "readyReplicas") or 0
    return ready >= wanted or (not is_news and len(living) >= wanted)


def _siblings(snapshot: Snapshot, pod: Resource, owner: Reference) -> list[Resource]:
    """Other pods of that owner, which need not be in the snapshot itself."""
    return [
        other
        for other in snapshot.of("Pod")
        if other.namespace == pod.namespace
        and other is not pod
        and any((one.kind, one.name, one.uid) == (owner.kind, owner.name, owner.uid) for one in other.owners)
    ]


def _lives(pod: Resource) -> bool:
    return pod.deleting_since is None and text(pod.status, "phase") not in ("Failed", "Succeeded")


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one > other


def _ended_long_ago(snapshot: Snapshot, pod: Resource) -> bool:
    """The kubelet writes no time of an eviction: the newest time of the status stands for it."""
    times = [condition.since for condition in read_conditions(pod.status)]
    times += [
        moment(mapping(status, "state", "terminated"), "finishedAt")
        for status in mappings(pod.status, "containerStatuses")
    ]
    ended = max((time for time in times if time), default=pod.created_at)
    return snapshot.age(ended) > seconds(thresholds().event_window_seconds)
