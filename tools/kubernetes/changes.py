"""The few changes that actions make to workloads and pods. Each is one request, marked where it leaves a trace.

The mark is an annotation on the object itself, and not on its pods: an earlier template must come back exactly as it
was, or the controller would not find the pods of that revision again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.fields import mapping, number, text
from tools.kubernetes.records import Resource, ResourceType, read_resource
from tools.kubernetes.resource_types import PODS

MARK = "crew.io/last-action"
"""Annotation that holds the key of the last action of ours."""
REVISION = "deployment.kubernetes.io/revision"
HASH = "pod-template-hash"

WORKLOADS: Mapping[str, ResourceType] = {
    "Deployment": ResourceType("apps", "v1", "deployments", "Deployment"),
    "StatefulSet": ResourceType("apps", "v1", "statefulsets", "StatefulSet"),
    "DaemonSet": ResourceType("apps", "v1", "daemonsets", "DaemonSet"),
}
REPLICA_SETS = ResourceType("apps", "v1", "replicasets", "ReplicaSet")
REVISIONS = ResourceType("apps", "v1", "controllerrevisions", "ControllerRevision")


@dataclass(frozen=True)
class Revision:
    """One earlier or present state of a workload's pods."""

    number: int
    template: Mapping[str, Any]
    created_at: datetime | None
    name: str


def workload(client: KubernetesClient, kind: str, namespace: str, name: str) -> Resource | None:
    """The workload with its whole specification, or None."""
    return client.get(WORKLOADS[kind], namespace, name)


def revisions(client: KubernetesClient, found: Resource) -> tuple[Revision, ...]:
    """What the cluster still remembers of this workload's pods, newest first; the first is the present one."""
    if found.kind == "Deployment":
        read = [_of_replica_set(one) for one in _owned(client, REPLICA_SETS, found)]
    else:
        read = [_of_controller_revision(one) for one in _owned(client, REVISIONS, found)]
    return tuple(sorted((one for one in read if one.number and one.template), key=lambda one: -one.number))


def restart(client: KubernetesClient, found: Resource, mark: str, now: datetime) -> Resource:
    """Replaces every pod, in the way and at the speed that the workload's own strategy says; as kubectl does it."""
    stamp = {"kubectl.kubernetes.io/restartedAt": now.isoformat(timespec="seconds")}
    change = {
        "metadata": {"annotations": {MARK: mark}, "resourceVersion": found.resource_version},
        "spec": {"template": {"metadata": {"annotations": stamp}}},
    }
    return client.patch(WORKLOADS[found.kind], found.namespace, found.name, change)


def roll_back(client: KubernetesClient, found: Resource, to: Revision, mark: str) -> Resource:
    """Puts an earlier template in place of the present one.

    The version goes along as a value and not as a ``test`` step: so a faster writer is answered with 409, as for a
    merge patch, where a failed test would be the 422 of any malformed patch.
    """
    annotations = {**found.annotations, MARK: mark}
    steps: list[Mapping[str, Any]] = [
        {"op": "replace", "path": "/metadata/resourceVersion", "value": found.resource_version},
        {"op": "replace", "path": "/spec/template", "value": to.template},
    ]
    if found.annotations:
        steps.append({"op": "add", "path": "/metadata/annotations/" + MARK.replace("/", "~1"), "value": mark})
    else:
        steps.append({"op": "add", "path": "/metadata/annotations", "value": annotations})
    return client.patch_steps(WORKLOADS[found.kind], found.namespace, found.name, steps)


def scale(client: KubernetesClient, found: Resource, replicas: int) -> None:
    """Sets the number of replicas by the scale subresource, unless the workload changed meanwhile."""
    change = {"metadata": {"resourceVersion": found.resource_version}, "spec": {"replicas": replicas}}
    client.patch(WORKLOADS[found.kind], found.namespace, found.name, change, subresource="scale")


def delete_pod(client: KubernetesClient, namespace: str, name: str, uid: str) -> None:
    """Removes a pod that is stuck from the API without waiting for its node. Only this very pod."""
    client.delete(PODS, namespace, name, uid=uid, grace_seconds=0)


def rollout_is_done(found: Resource) -> bool:
    """Whether every replica is of the present template and ready, as `kubectl rollout status` judges it."""
    status = found.status
    if (number(status, "observedGeneration") or 0) < (found.generation or 0):
        return False
    if found.kind == "DaemonSet":
        wanted = number(status, "desiredNumberScheduled") or 0
        updated, ready = number(status, "updatedNumberScheduled") or 0, number(status, "numberReady") or 0
        return updated >= wanted and ready >= wanted
    replicas = number(found.spec, "replicas")
    wanted = 1 if replicas is None else replicas
    updated, ready = number(status, "updatedReplicas") or 0, number(status, "readyReplicas") or 0
    if found.kind == "StatefulSet" and text(status, "currentRevision") == text(status, "updateRevision"):
        updated = wanted  # nothing is being rolled out: all are of one revision
    return updated >= wanted and ready >= wanted and (number(status, "replicas") or 0) == wanted


def rollout_gave_up(found: Resource) -> str:
    """The controller's own words where a Deployment exceeded its deadline; empty otherwise."""
    for condition in found.status.get("conditions") or ():
        if text(condition, "type") == "Progressing" and text(condition, "reason") == "ProgressDeadlineExceeded":
            return text(condition, "message") or "the rollout exceeded its deadline"
    return ""


def _owned(client: KubernetesClient, kind: ResourceType, owner: Resource) -> list[Resource]:
    """Untrimmed, since a template must come back whole."""
    listed = client.request("GET", kind.path(owner.namespace), {"limit": "1000", **_selector(owner)})
    items = [item for item in listed.get("items") or () if isinstance(item, dict)]
    mine = [
        item
        for item in items
        if any(text(ref, "uid") == owner.uid for ref in mapping(item, "metadata").get("ownerReferences") or ())
    ]
    return [read_resource(item, kind.api_version, kind.kind) for item in mine]


def _selector(owner: Resource) -> Mapping[str, str]:
    labels = mapping(owner.spec, "selector", "matchLabels")
    return {"labelSelector": ",".join(f"{name}={value}" for name, value in sorted(labels.items()))} if labels else {}


def _of_replica_set(one: Resource) -> Revision:
    template = {**mapping(one.spec, "template")}
    metadata = {**mapping(template, "metadata")}
    # The controller adds the hash itself; left in, it would make another template of it.
    metadata["labels"] = {name: value for name, value in mapping(metadata, "labels").items() if name != HASH}
    template["metadata"] = metadata
    found = one.annotations.get(REVISION, "")
    return Revision(int(found) if found.isdigit() else 0, template, one.created_at, one.name)


def _of_controller_revision(one: Resource) -> Revision:
    template = {**mapping(one.body.get("data"), "spec", "template")}
    template.pop("$patch", None)
    return Revision(number(one.body, "revision") or 0, template, one.created_at, one.name)
