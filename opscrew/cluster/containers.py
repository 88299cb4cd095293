"""What is wrong with one container of a pod: waiting with an error, ended badly, killed, or restarting often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from opscrew.cluster.events import event_line, recent_warnings
from opscrew.cluster.image_pulls import pull_failure_cause
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


@dataclass(frozen=True, slots=True)
class Container:
    """The parts of a container's status and spec that judgement needs, safely read."""

    name: str
    status: Mapping[str, Any]
    spec: Mapping[str, Any]

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
    """Init containers first, as they run."""
    specs = {
        text(spec, "name"): spec
        for part in ("initContainers", "containers", "ephemeralContainers")
        for spec in mappings(pod.spec, part)
    }
    return [
        Container(text(status, "name"), status, specs.get(text(status, "name"), {}))
        for part in ("initContainerStatuses", "containerStatuses")
        for status in mappings(pod.status, part)
    ]


def check_containers(snapshot: Snapshot, pod: Resource) -> Iterator[Problem]:
    """At most one problem per container, the most telling one."""
    for container in containers_of(pod):
        problem = (
            _waiting_problem(snapshot, pod, container)
            or _end_problem(pod, container)
            or _restart_problem(snapshot, pod, container)
        )
        if problem is not None:
            yield problem


def _waiting_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    reason = text(container.waiting, "reason")
    message = text(container.waiting, "message")
    if reason == "CrashLoopBackOff":
        return _crash_loop(pod, container)
    if reason in IMAGE_REASONS:
        return _image_problem(snapshot, pod, container)
    if reason in START_REASONS or reason.endswith("Error"):
        cause = f"Container {container.name} cannot be started: {message or reason}"
        return Problem("POD_START_FAILED", pod, reason, cause, container.name, _lines(message))
    return None


def _crash_loop(pod: Resource, container: Container) -> Problem | None:
    if text(pod.spec, "restartPolicy") == "OnFailure" and container.restarts < thresholds().on_failure_retries:
        return None  # retrying is what it was asked for; the kubelet has not given up more often than a Job would
    reason, message = "CrashLoopBackOff", text(container.waiting, "message")
    ended = container.last_end or container.terminated
    if text(ended, "reason") == "OOMKilled":
        return _out_of_memory(pod, container, reason)
    cause = f"Container {container.name} crashes each time it starts"
    if ended:
        cause += f" ({end_text(ended)})"
    facts = _lines(f"{container.restarts} restarts", message, text(ended, "message"))
    return Problem("POD_CRASH_LOOPING", pod, reason, cause + ".", container.name, facts, _details(container))


def _out_of_memory(pod: Resource, container: Container, reason: str) -> Problem:
    limit = container.memory_limit
    within = f"its memory limit of {limit}" if limit else "the node's memory (it has no memory limit)"
    cause = f"Container {container.name} was killed because it needed more than {within}."
    ended = container.terminated or container.last_end
    facts = _lines(f"{container.restarts} restarts", f"ended: {end_text(ended)}", f"memory limit: {limit or 'none'}")
    return Problem("CONTAINER_OOM_KILLED", pod, reason, cause, container.name, facts, _details(container))


def _image_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem:
    reason, message = text(container.waiting, "reason"), text(container.waiting, "message")
    image = text(container.status, "image") or text(container.spec, "image")
    events = recent_warnings(snapshot, pod, ("Failed", "ErrImageNeverPull", "InspectFailed"))
    # The waiting message often says only "Back-off pulling image"; the event before it has the registry's answer.
    why = pull_failure_cause([message, *(event.message for event in events)])
    cause = f"The image {image or 'of container ' + container.name} cannot be pulled{': ' + why if why else ''}."
    if reason == "InvalidImageName":
        cause = f"{image!r} is not a valid image name."
    facts = _lines(message, *(event_line(event) for event in events[:2]))
    return Problem("POD_IMAGE_PULL_FAILED", pod, reason, cause, container.name, facts, {"image": image})


def _end_problem(pod: Resource, container: Container) -> Problem | None:
    """A container that ended badly and is not being restarted at this moment."""
    ended = container.terminated
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    if not ended or (code in (0, None) and not signal and text(ended, "reason") in ("", "Completed")):
        return None
    if text(pod.spec, "restartPolicy") == "OnFailure" and container.restarts < thresholds().on_failure_retries:
        return None
    reason = text(ended, "reason") or "Error"
    if reason == "OOMKilled":
        return _out_of_memory(pod, container, reason)
    cause = f"Container {container.name} ended with an error ({end_text(ended)})."
    return Problem("POD_FAILED", pod, reason, cause, container.name, _lines(text(ended, "message")))


def _restart_problem(snapshot: Snapshot, pod: Resource, container: Container) -> Problem | None:
    """It runs now, and has been killed or has crashed lately."""
    ended, limits = container.last_end, thresholds()
    if not ended or container.terminated:
        return None
    age = snapshot.age(moment(ended, "finishedAt"))
    if text(ended, "reason") == "OOMKilled" and age <= seconds(limits.oom_window_seconds):
        return _out_of_memory(pod, container, "OOMKilled")
    if container.restarts < limits.restart_burst or age > seconds(limits.restart_window_seconds):
        return None
    if number(ended, "exitCode") == 0:
        cause = f"Container {container.name} keeps ending by itself and being started again."
    else:
        cause = f"Container {container.name} keeps crashing ({end_text(ended)}), {container.restarts} restarts so far."
    reason = text(ended, "reason") or "Restarting"
    return Problem("POD_RESTARTING", pod, reason, cause, container.name, _lines(f"{container.restarts} restarts"))


def end_text(ended: Mapping[str, Any]) -> str:
    """ "OOMKilled, exit code 137"."""
    code, signal = number(ended, "exitCode"), number(ended, "signal")
    parts = [
        text(ended, "reason"),
        f"exit code {code}" if code is not None else "",
        f"signal {signal}" if signal else "",
    ]
    return ", ".join(part for part in parts if part) or "no reason given"


def _details(container: Container) -> dict[str, Any]:
    return {"restarts": container.restarts, "memory_limit": container.memory_limit}


def _lines(*lines: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in lines if line.strip())
