"""What is wrong with one container of a pod: waiting with an error, ended badly, killed, or restarting often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from opscrew.cluster.container_ends import end_text, kind_of, quote_of
from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.image_pulls import pull_failure
from opscrew.cluster.probe_kills import ProbeKill, probe_kill
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.fields import mapping, mappings, moment, number, text
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
_LATEST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Container:
    """The parts of a container's status and spec that judgement needs, safely read. ``is_early`` is one of the init
    containers; those that are always restarted are sidecars, which run beside the main ones."""

    name: str
    status: Mapping[str, Any]
    spec: Mapping[str, Any]
    is_early: bool = False

    @property
    def is_sidecar(self) -> bool:
        return self.is_early and text(self.spec, "restartPolicy") == "Always"

    @property
    def title(self) -> str:
        """ "Init container migrate"."""
        kind = "Sidecar" if self.is_sidecar else "Init container" if self.is_early else "Container"
        return f"{kind} {self.name}"

    @property
    def waiting(self) -> Mapping[str, Any]:
        return mapping(self.status, "state", "waiting")

    @property
    def terminated(self) -> Mapping[str, Any]:
        return mapping(self.status, "state", "terminated")

    @property
    def last_end(self) -> Mapping[str, Any]:
        return mapping(self.status, "lastState", "terminated")

    @property
    def restarts(self) -> int:
        return number(self.status, "restartCount") or 0

    @property
    def memory_limit(self) -> str:
        return text(self.spec, "resources", "limits", "memory")


def containers_of(pod: Resource) -> list[Container]:
    """Init containers first, as they run; then the main ones, and the sidecars last."""
    specs = {
        text(spec, "name"): spec
        for part in ("initContainers", "containers", "ephemeralContainers")
        for spec in mappings(pod.spec, part)
    }
    found = [
        Container(text(status, "name"), status, specs.get(text(status, "name"), {}), part == "initContainerStatuses")
        for part in ("initContainerStatuses", "containerStatuses")
        for status in mappings(pod.status, part)
    ]
    return sorted(found, key=lambda container: container.is_sidecar)


def check_containers(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    """At most one problem per container, the most telling one; of those that ended for good only the first cause."""
    ended: list[tuple[Container, Problem]] = []
    for container in containers_of(pod):
        problem = _waiting_problem(snapshot, pod, container) or _restart_problem(snapshot, pod, container)
        if problem is not None:
            yield problem
        elif (end := _end_problem(pod, container)) is not None:
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
        return _crash_loop(snapshot, pod, container)
    if reason in IMAGE_REASONS:
        return _image_problem(snapshot, pod, container)
    if reason in START_REASONS or reason.endswith("Error"):
        cause = f"{container.title} cannot be started: {message or reason}"
        return Problem("POD_START_FAILED", pod, reason, cause, container.name, _lines(message))
    return None


def _crash_loop(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    reason, message = "CrashLoopBackOff", text(container.waiting, "message")
    ended = container.last_end or container.terminated
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
        cause += f" ({end_text(ended)}){quote_of(ended)}"
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


def _end_problem(pod: Resource, container: Container) -> Problem | None:
    """A container that ended badly and is not being restarted at this moment."""
    ended = container.terminated
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    if not ended or (code in (0, None) and not signal and text(ended, "reason") in ("", "Completed")):
        return None
    if not _was_retried(pod, container):
        return None
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
