"""What is wrong with one container of a pod: waiting with an error, ended badly, killed, or restarting often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.container import Container, containers_of
from opscrew.cluster.workloads.container_ends import core_of, end_text, kind_of, quote_of
from opscrew.cluster.workloads.image_pulls import pull_failure
from opscrew.cluster.workloads.probe_kills import ProbeKill, is_close, probe_kill
from tools.kubernetes.fields import moment, number, text
from tools.kubernetes.records import Resource

IMAGE_REASONS = frozenset(
    {
        "ImagePullBackOff",
        "ErrImagePull",
        "ErrImageNeverPull",
        "InvalidImageName",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
START_REASONS = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "PostStartHookError",
        "StartError",
        "ContainerCannotRun",
    }
)
_STOPPED = (137, 143)
"""Exit codes of a container that was told to stop, as the rest of a pod is when its main container has ended."""
_OUT_OF_MEMORY = ("SystemOOM", "OOMKilling")
_MOMENT = timedelta(minutes=1)
_LATEST = datetime.max.replace(tzinfo=UTC)


def check_containers(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    """At most one problem per container, the most telling one; of those that ended for good only the first cause."""
    ended: list[tuple[Container, Problem]] = []
    for container in containers_of(pod):
        problem = _waiting_problem(snapshot, pod, container) or _restart_problem(snapshot, pod, container)
        if problem is not None:
            yield problem
        elif _is_between_runs(pod, container):
            if (loop := _crash_loop(snapshot, pod, container, container.terminated)) is not None:
                yield loop
        elif (end := _end_problem(snapshot, pod, container)) is not None:
            ended.append((container, end))
    if ended:
        ended.sort(key=lambda pair: _order_of_ends(pair[0]))
        others = tuple(f"{other.title} ended with {end_text(other.terminated)}" for other, _ in ended[1:])
        yield replace(ended[0][1], facts=(*ended[0][1].facts, *others))


def _order_of_ends(container: Container) -> tuple[bool, datetime]:
    """When the main container ends, the others are stopped: what was only stopped or ended later is no cause."""
    was_stopped = number(container.terminated, "exitCode") in _STOPPED and not _out_of_memory_ended(container)
    return was_stopped, moment(container.terminated, "finishedAt") or _LATEST


def _out_of_memory_ended(container: Container) -> bool:
    return text(container.terminated, "reason") == "OOMKilled"


def _waiting_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    reason = text(container.waiting, "reason")
    message = text(container.waiting, "message")
    if reason == "CrashLoopBackOff":
        return _crash_loop(snapshot, pod, container, container.last_end or container.terminated)
    if reason in IMAGE_REASONS:
        return _image_problem(snapshot, pod, container)
    if reason in START_REASONS or reason.endswith("Error"):
        cause = f"{container.title} cannot be started: {core_of(message) or reason}"
        return Problem("POD_START_FAILED", pod, reason, cause, container.name, _lines(message))
    return None


def _is_between_runs(pod: Resource, container: Container) -> bool:
    """Whether it has just ended once more and will be started again: a crash loop that does not pause right now."""
    restarted = text(pod.spec, "restartPolicy") in ("", "Always") or container.is_sidecar
    return restarted and bool(container.terminated) and container.restarts >= thresholds().restart_burst


def _crash_loop(snapshot: Snapshot, pod: Resource, container: Container, ended: Mapping[str, Any]) -> Problem | None:
    message = text(container.waiting, "message")
    reason = text(container.waiting, "reason") or text(ended, "reason") or "Error"
    if text(ended, "reason") == "OOMKilled" and _was_retried(pod, container):
        return _out_of_memory(pod, container, reason)
    if not _was_retried(pod, container):
        return None  # retrying is what it was asked for; the kubelet has not given up more often than a Job would
    facts = _lines(f"{container.restarts} restarts", message, text(ended, "message"))
    if kill := probe_kill(snapshot, pod, container.name, container.spec, ended):
        return _killed(pod, container, "POD_CRASH_LOOPING", reason, kill, facts)
    kind = kind_of(ended)
    cause = f"{container.title} {kind.said} each time it starts"
    if ended:
        cause += f" ({end_text(ended)}){quote_of(ended)}{_memory_of_node(snapshot, pod, ended)}"
    details = _details(container)
    return Problem(
        "POD_CRASH_LOOPING",
        pod,
        reason,
        cause + ".",
        container.name,
        facts,
        details,
        next_step=kind.next if ended else "",
    )


def _memory_of_node(snapshot: Snapshot, pod: Resource, ended: Mapping[str, Any]) -> str:
    """A kill without a reason is often the kernel's: what the node reported of its memory at that time."""
    node, at = text(pod.spec, "nodeName"), moment(ended, "finishedAt")
    if number(ended, "exitCode") != 137 or not node:
        return ""
    told = [event for event in snapshot.events_of(Resource("v1", "Node", "", node)) if event.reason in _OUT_OF_MEMORY]
    return next((f", while its node ran out of memory: {event.message}" for event in told if is_close(event, at)), "")


def _was_retried(pod: Resource, container: Container) -> bool:
    """Whether it has been started more often than somebody asked for it with restartPolicy OnFailure."""
    return text(pod.spec, "restartPolicy") != "OnFailure" or container.restarts >= thresholds().on_failure_retries


def _killed(
    pod: Resource, container: Container, code: str, reason: str, kill: ProbeKill, facts: tuple[str, ...]
) -> Problem:
    cause = f"{container.title} is killed by its node again and again because {kill.words}."
    return Problem(code, pod, reason, cause, container.name, facts, _details(container), next_step=kill.next_step)


def _out_of_memory(pod: Resource, container: Container, reason: str) -> Problem:
    limit = container.memory_limit
    within = f"its memory limit of {limit}" if limit else "the node's memory (it has no memory limit)"
    cause = f"{container.title} was killed because it needed more than {within}."
    ended = container.terminated or container.last_end
    facts = _lines(f"{container.restarts} restarts", f"ended: {end_text(ended)}", f"memory limit: {limit or 'none'}")
    return Problem("CONTAINER_OOM_KILLED", pod, reason, cause, container.name, facts, _details(container))


def _image_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem:
    reason, message = text(container.waiting, "reason"), text(container.waiting, "message")
    image = text(container.status, "image") or text(container.spec, "image")
    events = recent_warnings(snapshot, pod, ("Failed", "ErrImageNeverPull", "InspectFailed"))
    mine = [event for event in events if event.container in ("", container.name)]
    # The waiting message often says only "Back-off pulling image"; the event before it has the registry's answer.
    why = pull_failure([reason, message, *(event.message for event in mine)], image)
    cause = f"The image {image or 'of container ' + container.name} cannot be pulled{': ' + why.cause if why else ''}."
    if reason == "InvalidImageName":
        cause = f"{image!r} is not a valid image name."
    facts = _lines(message, *(event_line(event) for event in mine[:2]))
    next_step = why.next if why else ""
    return Problem(
        "POD_IMAGE_PULL_FAILED", pod, reason, cause, container.name, facts, {"image": image}, next_step=next_step
    )


def _end_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    """A container that ended badly and is not being restarted at this moment."""
    ended = container.terminated
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    if not ended or (code in (0, None) and not signal and text(ended, "reason") in ("", "Completed")):
        return None
    if not _was_retried(pod, container):
        return None
    is_fresh = snapshot.dated and snapshot.age(moment(ended, "finishedAt")) <= _MOMENT
    if is_fresh and text(pod.spec, "restartPolicy") == "Always" and text(pod.status, "phase") != "Failed":
        return None  # it is started again at once
    reason = text(ended, "reason") or "Error"
    if reason == "OOMKilled":
        return _out_of_memory(pod, container, reason)
    kind = kind_of(ended)
    cause = f"{container.title} {kind.ended} ({end_text(ended)}){quote_of(ended)}."
    facts = _lines(text(ended, "message"))
    return Problem("POD_FAILED", pod, reason, cause, container.name, facts, next_step=kind.next)


def _restart_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    """It runs now, and has been killed or has crashed lately."""
    ended, limits = container.last_end, thresholds()
    if not ended or container.terminated:
        return None
    age = snapshot.age(moment(ended, "finishedAt"))
    if text(ended, "reason") == "OOMKilled" and age <= seconds(limits.oom_window_seconds):
        return _out_of_memory(pod, container, "OOMKilled")
    if age > seconds(limits.restart_window_seconds):
        return None
    reason, facts = text(ended, "reason") or "Restarting", _lines(f"{container.restarts} restarts")
    kill = probe_kill(snapshot, pod, container.name, container.spec, ended)
    if kill and max(kill.times, container.restarts) >= limits.probe_kills:
        return _killed(pod, container, "POD_RESTARTING", reason, kill, facts)
    if container.restarts < limits.restart_burst:
        return None
    kind = kind_of(ended)
    cause = (
        f"{container.title} {kind.said} again and again ({end_text(ended)}), {container.restarts} restarts so far"
        f"{quote_of(ended)}."
    )
    return Problem("POD_RESTARTING", pod, reason, cause, container.name, facts, next_step=kind.next)


def _details(container: Container) -> dict[str, Any]:
    return {"restarts": container.restarts, "memory_limit": container.memory_limit}


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line.strip())
