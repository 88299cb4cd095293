"""Pods: not placed, not started, failed, evicted, not ready, or not going away."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.network.services import is_ready
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.container import Container, containers_of
from opscrew.cluster.workloads.containers import check_containers
from opscrew.cluster.workloads.pod_ends import evicted, failed, is_history
from opscrew.cluster.workloads.pod_readiness import check_readiness
from opscrew.model.finding import Severity
from opscrew.reading_time import span
from tools.kubernetes.fields import mapping, mappings, moment, text
from tools.kubernetes.records import Event, Resource

# What the kubelet or the attach controller says while a pod cannot start, and the code it leads to.
_START_EVENTS = {
    "FailedAttachVolume": "VOLUME_ATTACH_FAILED",
    "FailedMount": "VOLUME_MOUNT_FAILED",
    "FailedMapVolume": "VOLUME_MOUNT_FAILED",
    "FailedCreatePodSandBox": "POD_SANDBOX_FAILED",
    "NetworkNotReady": "POD_SANDBOX_FAILED",
}

# What comes after the network and the volumes of a pod are there.
_PAST_MOUNTS = ("Pulling", "Pulled", "Created", "Started")

# What Cluster Autoscaler and Karpenter say of a pod they bring a node for.
_SCALE_UP_EVENTS = ("TriggeredScaleUp", "Nominated")


def check_pods(snapshot: Snapshot) -> Iterator[Problem]:
    """Every pod; a pod whose containers say what is wrong gets no further, vaguer problem."""
    for pod in snapshot.of("Pod"):
        if _is_plainly_healthy(pod) and not snapshot.has_warnings(pod):
            continue
        if pod.deleting_since is not None:
            yield from _stuck_terminating(snapshot, pod)
        elif text(pod.status, "phase") != "Succeeded" and not is_history(snapshot, pod):
            yield from _problems(snapshot, pod)


def _is_plainly_healthy(pod: Resource) -> bool:
    """Running, ready, never restarted: nearly all pods are, and only the others pay for the rest of this file."""
    if pod.deleting_since is not None or pod.status.get("phase") != "Running":
        return False
    statuses = mappings(pod.status, "containerStatuses")
    early = mappings(pod.status, "initContainerStatuses")  # among them sidecars, which may crash while the pod serves
    quiet = all(status.get("ready") is True and not status.get("lastState") for status in (*statuses, *early))
    return bool(statuses) and quiet and is_ready(pod)


def _problems(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    if text(pod.status, "reason") == "Evicted":
        yield evicted(pod)
        return
    if text(pod.status, "phase") == "Failed" and text(pod.status, "reason"):
        yield from failed(pod)  # its node or its deadline ended it, and the containers only tell that they were stopped
        return
    found = list(check_containers(snapshot, pod))
    if found:
        yield from found
    elif text(pod.status, "phase") == "Failed":
        yield from failed(pod)
    elif text(pod.status, "phase") == "Unknown":
        yield _out_of_sight(pod)
    elif (problem := _unplaced(snapshot, pod) or _unstarted(snapshot, pod)) is not None:
        yield problem
    else:
        yield from check_readiness(snapshot, pod, _node(pod))


def _out_of_sight(pod: Resource) -> Problem:
    reason, message = text(pod.status, "reason"), text(pod.status, "message")
    cause = f"Nobody knows how the pod is: {message or 'its node does not answer'}"
    return Problem("POD_NOT_READY", pod, reason or "Unknown", cause, caused_by=_node(pod))


def _unplaced(snapshot: Snapshot, pod: Resource) -> Problem | None:
    if text(pod.spec, "nodeName"):
        return None
    scheduled = find_condition(read_conditions(pod.status), "PodScheduled")
    if scheduled is not None and scheduled.status is False and scheduled.reason == "SchedulingGated":
        if snapshot.age(pod.created_at) <= seconds(thresholds().rollout_seconds):
            return None
        gates = ", ".join(text(gate, "name") for gate in mappings(pod.spec, "schedulingGates"))
        cause = f"Nothing has opened the pod's scheduling gates ({gates or 'unnamed'})."
        return Problem("POD_SCHEDULING_GATED", pod, "SchedulingGated", cause)
    events = recent_warnings(snapshot, pod, ("FailedScheduling",))
    unschedulable = scheduled is not None and scheduled.status is False and scheduled.reason == "Unschedulable"
    if not unschedulable and not events:
        return None
    if _node_is_coming(snapshot, pod):
        return None
    # An undated file gives no age: then the scheduler's word stands.
    since = scheduled.since if scheduled else pod.created_at
    if snapshot.dated and snapshot.age(since or pod.created_at) < seconds(thresholds().pod_unschedulable_seconds):
        return None
    message = (scheduled.message if scheduled else "") or (events[0].message if events else "")
    cause = f"No node takes the pod: {message or 'the scheduler gives no reason'}"
    refused = [event for event in snapshot.events_of(pod) if event.reason == "NotTriggerScaleUp"]
    facts = tuple(event_line(event) for event in (*events[:1], *refused[-1:]))  # and why no autoscaler helps
    return Problem("POD_UNSCHEDULABLE", pod, "Unschedulable", cause, facts=facts, caused_by=_claims(pod))


def _node_is_coming(snapshot: Snapshot, pod: Resource) -> bool:
    """Whether an autoscaler says that it is bringing a node for the pod; a machine takes minutes to start."""
    return any(
        event.reason in _SCALE_UP_EVENTS and snapshot.age(event.last_seen) <= seconds(thresholds().pod_start_seconds)
        for event in snapshot.events_of(pod)
    )


def _claims(pod: Resource) -> tuple[Key, ...]:
    names = [text(volume, "persistentVolumeClaim", "claimName") for volume in mappings(pod.spec, "volumes")]
    return tuple(("PersistentVolumeClaim", pod.namespace, name) for name in names if name)


def _unstarted(snapshot: Snapshot, pod: Resource) -> Problem | None:
    """Placed on a node, and its containers do not come to run."""
    scheduled = find_condition(read_conditions(pod.status), "PodScheduled")
    if text(pod.status, "phase") not in ("", "Pending") or (scheduled is not None and scheduled.status is False):
        return None
    early = next((one for one in containers_of(pod) if one.is_early and _holds_up(one)), None)
    if early is not None and moment(early.status, "state", "running", "startedAt"):
        return _waits_for(snapshot, pod, early)  # a container that runs has its network and its volumes
    if (
        snapshot.dated
        and pod.created_at
        and snapshot.age(pod.created_at) < seconds(thresholds().pod_unschedulable_seconds)
    ):
        return None  # what it mounts may be made in the same moment
    told = snapshot.events_of(pod)
    for event in recent_warnings(snapshot, pod, _START_EVENTS):
        if any(other.reason in _PAST_MOUNTS and _is_later(other, event) for other in told):
            break
        # One failure is often mended by the next try a few seconds later. A file without a date ends with this event.
        lasting = event.count > 1 or snapshot.age(event.first_seen) >= seconds(thresholds().settle_seconds)
        if lasting or not snapshot.dated:
            cause = f"The pod cannot start: {event.message.strip()}"
            caused_by = (*_claims(pod), *_node(pod))
            code = _START_EVENTS[event.reason]
            return Problem(code, pod, event.reason, cause, facts=(event_line(event),), caused_by=caused_by)
    if snapshot.age(pod.created_at) <= seconds(thresholds().pod_start_seconds):
        return None
    waiting = [text(container.waiting, "reason") for container in containers_of(pod)]
    reason = next((word for word in waiting if word), "Pending")
    why, next_step = "nothing says why", ""
    if told and told[-1].reason == "Pulling":
        why = f"its image is still being pulled: {told[-1].message.strip()}"
        next_step = (
            "Look at the size of the image, and at the way from the node to the registry; a mirror near by helps."
        )
    cause = f"The pod has not started for {span(snapshot.age(pod.created_at))}, and {why}."
    return Problem("POD_START_STUCK", pod, reason, cause, caused_by=(*_claims(pod), *_node(pod)), next_step=next_step)


def _is_later(one: Event, other: Event) -> bool:
    return one.last_seen is not None and other.last_seen is not None and one.last_seen >= other.last_seen


def _holds_up(container: Container) -> bool:
    """Whether an init container still runs, so that what comes after it has to wait; a sidecar need only start."""
    runs = bool(mapping(container.status, "state", "running"))
    return runs and not (container.is_sidecar and container.status.get("started") is True)


def _waits_for(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    age = snapshot.age(moment(container.status, "state", "running", "startedAt"))
    if age <= seconds(thresholds().pod_start_seconds):
        return None
    until = "its startup probe passes" if container.is_sidecar else "it ends"
    cause = f"{container.title} has been running for {span(age)}, and nothing else in the pod starts until {until}."
    next_step = (
        f"Read its log (kubectl -n {pod.namespace} logs {pod.name} -c {container.name}); usually it waits for another "
        "service, a database or a download."
    )
    return Problem("POD_START_STUCK", pod, "PodInitializing", cause, caused_by=_node(pod), next_step=next_step)


def _node(pod: Resource) -> tuple[Key, ...]:
    name = text(pod.spec, "nodeName")
    return (("Node", "", name),) if name else ()


def _stuck_terminating(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    # deletionTimestamp already includes the pod's grace period.
    if snapshot.age(pod.deleting_since) <= seconds(thresholds().terminating_seconds):
        return
    held = f" Held by finalizers: {', '.join(pod.finalizers)}." if pod.finalizers else ""
    cause = f"The pod should have been gone {span(snapshot.age(pod.deleting_since))} ago.{held}"
    severity = None if snapshot.dated else Severity.INFO  # see terminations.py
    yield Problem("POD_TERMINATING_STUCK", pod, "Terminating", cause, caused_by=_node(pod), severity=severity)
