"""How one object stands, in a few words: what is told of a thing that is well, since no finding speaks of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.snapshot import Snapshot
from tools.kubernetes.fields import mappings, number, text, truth
from tools.kubernetes.records import Resource


def standing(resource: Resource, snapshot: Snapshot) -> str:
    """For example "2 of 2 replicas ready, image cart:1.4". Empty for kinds of which there is nothing to tell."""
    tell = TOLD_OF.get(resource.kind)
    return ", ".join(part for part in tell(resource, snapshot) if part) if tell else ""


def _replicas(resource: Resource, snapshot: Snapshot) -> list[str]:
    del snapshot
    wanted = number(resource.spec, "replicas")
    ready = number(resource.status, "readyReplicas") or 0
    is_paused = truth(resource.spec, "paused") is True
    return [
        f"{ready} of {1 if wanted is None else wanted} replicas ready",
        "paused" if is_paused else "",
        _image(resource),
    ]


def _daemons(resource: Resource, snapshot: Snapshot) -> list[str]:
    del snapshot
    wanted, ready = number(resource.status, "desiredNumberScheduled") or 0, number(resource.status, "numberReady") or 0
    return [f"{ready} of {wanted} pods ready", _image(resource)]


def _image(resource: Resource) -> str:
    images = [text(one, "image") for one in mappings(resource.spec, "template", "spec", "containers")]
    return f"image {', '.join(images[:2])}" if images and images[0] else ""


def _pod(resource: Resource, snapshot: Snapshot) -> list[str]:
    del snapshot
    restarts = sum(number(one, "restartCount") or 0 for one in mappings(resource.status, "containerStatuses"))
    return [
        text(resource.status, "phase"),
        f"{restarts} restarts",
        f"on {text(resource.spec, 'nodeName') or 'no node'}",
    ]


def _node(resource: Resource, snapshot: Snapshot) -> list[str]:
    ready = next((one for one in read_conditions(resource.status) if one.type == "Ready"), None)
    pods = sum(text(pod.spec, "nodeName") == resource.name for pod in snapshot.of("Pod"))
    is_cordoned = truth(resource.spec, "unschedulable") is True
    state = "ready" if ready is not None and ready.status else "not ready"
    return [
        state,
        "cordoned" if is_cordoned else "",
        f"{pods} pods",
        text(resource.status, "nodeInfo", "kubeletVersion"),
    ]


def _cron_job(resource: Resource, snapshot: Snapshot) -> list[str]:
    del snapshot
    suspended = "suspended" if truth(resource.spec, "suspend") is True else ""
    last = text(resource.status, "lastScheduleTime")
    return [f"schedule {text(resource.spec, 'schedule')}", suspended, f"last run at {last}" if last else "never run"]


def _claim(resource: Resource, snapshot: Snapshot) -> list[str]:
    del snapshot
    size = text(resource.status, "capacity", "storage") or text(resource.spec, "resources", "requests", "storage")
    return [text(resource.status, "phase"), size, f"class {text(resource.spec, 'storageClassName') or '(none)'}"]


def _namespace(resource: Resource, snapshot: Snapshot) -> list[str]:
    counts = [
        f"{sum(one.namespace == resource.name for one in snapshot.of(kind))} {words}"
        for kind, words in (("Pod", "pods"), ("Deployment", "deployments"), ("StatefulSet", "stateful sets"))
    ]
    return [text(resource.status, "phase"), *counts]


TOLD_OF: Mapping[str, Callable[[Resource, Snapshot], list[str]]] = {
    "Deployment": _replicas,
    "StatefulSet": _replicas,
    "DaemonSet": _daemons,
    "Pod": _pod,
    "Node": _node,
    "CronJob": _cron_job,
    "PersistentVolumeClaim": _claim,
    "Namespace": _namespace,
}
