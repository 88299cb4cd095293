"""What a lost node takes along from its first minute: its pods, their workloads, Services and claims.

Most of them have no problem of their own by then: a Deployment is not called short before some minutes, and no pod is
evicted before five. People who are woken for the node want to know what hangs on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opscrew.cluster.network.services import is_ready
from opscrew.cluster.snapshot import Snapshot
from tools.kubernetes.fields import mapping, mappings, text
from tools.kubernetes.records import Resource

_ENDED = ("Succeeded", "Failed")
_MOST_NAMED = 5


@dataclass(frozen=True)
class Loss:
    """``resources`` by what matters: Services and workloads without a ready pod, other workloads, pods, claims."""

    resources: tuple[Resource, ...] = ()
    facts: tuple[str, ...] = ()


def loss_of(snapshot: Snapshot, node: Resource) -> Loss:
    """Everything that stood on the node and has not ended."""
    pods = [pod for pod in snapshot.pods_on(node.name) if text(pod.status, "phase") not in _ENDED]
    if not pods:
        return Loss()
    workloads = {workload.key: workload for pod in pods if (workload := snapshot.workload_of(pod)) is not pod}
    down = _services_without_pods(snapshot, node, {pod.namespace for pod in pods})
    down += [one for one in workloads.values() if not _any_ready(snapshot.descendants_of(one), node)]
    claims = [claim for pod in pods for claim in _claims(snapshot, pod)]
    found = {one.key: one for one in (*down, *workloads.values(), *pods, *claims)}
    facts = [f"pods that stood on it: {len(pods)}, of workloads: {len(workloads)}"]
    if down:
        more = f" and {len(down) - _MOST_NAMED} more" if len(down) > _MOST_NAMED else ""
        facts.append(f"nothing ready is left of {', '.join(map(str, down[:_MOST_NAMED]))}{more}")
    return Loss(tuple(found.values()), tuple(facts))


def _services_without_pods(snapshot: Snapshot, node: Resource, namespaces: set[str]) -> list[Resource]:
    """Services of these namespaces that led to pods of the node and lead to no ready one elsewhere."""
    found = []
    for service in snapshot.of("Service"):
        selector = mapping(service.spec, "selector")
        if service.namespace in namespaces and selector:
            pods = snapshot.selected_pods(service.namespace, selector)
            stood_there = any(text(pod.spec, "nodeName") == node.name for pod in pods)
            if stood_there and not _any_ready(pods, node):
                found.append(service)
    return found


def _any_ready(resources: Iterable[Resource], lost: Resource) -> bool:
    """Whether a pod among them is ready on another node. What a lost node's pods say of themselves is old news."""
    return any(one.kind == "Pod" and text(one.spec, "nodeName") != lost.name and is_ready(one) for one in resources)


def _claims(snapshot: Snapshot, pod: Resource) -> list[Resource]:
    names = [text(volume, "persistentVolumeClaim", "claimName") for volume in mappings(pod.spec, "volumes")]
    found = [snapshot.find("PersistentVolumeClaim", pod.namespace, name) for name in names if name]
    return [claim for claim in found if claim is not None]
