"""Pods that run and are not ready: still starting, finished in part, failing their probes, or nobody says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.container import Container, containers_of
from opscrew.cluster.workloads.probe_kills import failing_probe, target_of
from tools.kubernetes.fields import mapping, mappings, moment, number, text
from tools.kubernetes.records import Resource

# What the API server fills in where a probe leaves a field out.
_DEFAULT_PERIOD_SECONDS = 10
_DEFAULT_FAILURES = 3


def check_readiness(snapshot: Snapshot, pod: Resource, node: tuple[Key, ...]) -> Iterator[Problem]:
    """``node`` is where the pod runs, as the possible cause."""
    if text(pod.status, "phase") != "Running":
        return
    ready = find_condition(read_conditions(pod.status), "Ready")
    if ready is not None and ready.status is True and (failing := failing_probe(snapshot, pod)) is not None:
        cause = f"The pod serves, but its own check of life fails: {failing.message.strip()}"
        yield Problem("POD_PROBE_FAILING", pod, "Unhealthy", cause, facts=(event_line(failing),), caused_by=node)
        return
    if ready is None or ready.status is True or ready.reason == "PodCompleted" or _has_finished_steps(pod):
        return
    if _is_starting(snapshot, pod) or _is_retried(pod):
        return
    probes = recent_warnings(snapshot, pod, ("Unhealthy", "ProbeWarning"))
    lasting = snapshot.age(ready.since) >= seconds(thresholds().settle_seconds)
    # Many failures count sooner, but for a pod that has only just been made.
    often = bool(probes) and probes[0].count > 3 and not _is_young(snapshot, pod)
    if probes and (often or lasting):
        cause = f"The pod runs but is not ready: {probes[0].message.strip()}"
        facts = (*(event_line(event) for event in probes[:2]), *_probe_lines(pod))
        yield Problem("POD_PROBE_FAILING", pod, "Unhealthy", cause, facts=facts, caused_by=node)
    elif snapshot.age(ready.since or pod.created_at) > seconds(thresholds().pod_not_ready_seconds):
        cause = f"The pod runs but is not ready: {ready.message or ready.reason or 'no reason given'}{_gates(pod)}"
        reason = ready.reason or "NotReady"
        yield Problem("POD_NOT_READY", pod, reason, cause, facts=_probe_lines(pod), caused_by=node)


def _gates(pod: Resource) -> str:
    """What those say who hold the pod's readiness gates shut, such as a load balancer's health check."""
    wanted = {text(gate, "conditionType") for gate in mappings(pod.spec, "readinessGates")}
    said = [one.message or one.reason for one in read_conditions(pod.status) if one.type in wanted and not one.status]
    return f" ({'; '.join(word for word in said if word)})" if any(said) else ""


def _has_finished_steps(pod: Resource) -> bool:
    """Whether nothing but containers that ended well keeps the pod from being ready: it runs its steps one by one, and
    a container that is done is not ready either."""
    if text(pod.spec, "restartPolicy") not in ("Never", "OnFailure"):
        return False
    waiting = [status for status in mappings(pod.status, "containerStatuses") if status.get("ready") is not True]
    ends = [mapping(status, "state", "terminated") for status in waiting]
    return bool(ends) and all(end and number(end, "exitCode") == 0 for end in ends)


def _is_young(snapshot: Snapshot, pod: Resource) -> bool:
    """Whether the pod has just been made. An undated file may be a minute old or a year; there many failures count."""
    made = pod.created_at
    return snapshot.dated and made is not None and snapshot.age(made) < seconds(thresholds().settle_seconds)


def _is_starting(snapshot: Snapshot, pod: Resource) -> bool:
    """Whether a startup probe still gives one of the containers time."""
    return any(_has_time_to_start(snapshot, container) for container in containers_of(pod))


def _is_retried(pod: Resource) -> bool:
    """Whether one of its containers is tried again as often as somebody asked for it; too often is told elsewhere."""
    return text(pod.spec, "restartPolicy") == "OnFailure" and any(
        text(container.waiting, "reason") == "CrashLoopBackOff" for container in containers_of(pod)
    )


def _has_time_to_start(snapshot: Snapshot, container: Container) -> bool:
    probe: Mapping[str, Any] = mapping(container.spec, "startupProbe")
    since = moment(container.status, "state", "running", "startedAt")
    if not probe or since is None or container.status.get("started") is not False:
        return False
    period = number(probe, "periodSeconds") or _DEFAULT_PERIOD_SECONDS
    failures = number(probe, "failureThreshold") or _DEFAULT_FAILURES
    allowed = (number(probe, "initialDelaySeconds") or 0) + period * failures
    return snapshot.age(since) <= seconds(allowed)


def _probe_lines(pod: Resource) -> tuple[str, ...]:
    """The readiness probe of each container, in a few words."""
    targets = [
        (text(container, "name"), target_of(mapping(container, "readinessProbe")))
        for container in mappings(pod.spec, "containers")
    ]
    return tuple(f"readiness probe of {name}: {target}" for name, target in targets if target)
