"""A stand-in for the API of a healthy cluster with a few workloads and claims, among them such as are called oddly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.http_answers import Answers, value
from tests.support.kubernetes_objects import thing

APPS = "/apis/apps/v1"


def workload(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "c", "image": f"{name}:1"}]}}
    spec = {"replicas": 2, "template": template} | spec
    return thing(kind, name, version="apps/v1", namespace=namespace, metadata={"uid": f"{namespace}-{name}"}, spec=spec)


def revision(owner: dict[str, Any], number: int) -> dict[str, Any]:
    """A ReplicaSet of a Deployment."""
    metadata = {
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "ownerReferences": [
            {"kind": "Deployment", "name": "cart", "uid": owner["metadata"]["uid"], "controller": True}
        ],
    }
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": f"cart:{number}"}]}}}
    return thing("ReplicaSet", f"cart-{number}", version="apps/v1", namespace="shop", metadata=metadata, spec=spec)


def claim(name: str, namespace: str, size: str = "10Gi", storage_class: str = "fast") -> dict[str, Any]:
    spec = {"resources": {"requests": {"storage": size}}, "storageClassName": storage_class}
    return thing("PersistentVolumeClaim", name, namespace=namespace, spec=spec, status={"phase": "Bound"})


CART = workload("Deployment", "cart", "shop")
PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
WORKLOADS = (
    CART,
    workload("Deployment", "payments", "shop"),
    workload("Deployment", "web", "shop"),
    workload("Deployment", "web", "stage"),
    workload("Deployment", "asleep", "shop", replicas=0),
    workload("StatefulSet", "search-db", "shop"),
    workload("DaemonSet", "ci-cache", "shop", replicas=None),
    workload("Deployment", "cart-worker", "shop"),
    workload("Deployment", "worker-3", "shop"),
    workload("Deployment", "database", "shop"),
    workload("Deployment", "data-base", "shop"),
    workload("Deployment", "test", "shop"),
    *(workload("Deployment", name, "shop") for name in ("all", "build", "prod", "restart", "5")),
)
CLAIMS = (claim("data-db-0", "shop"), claim("logs", "shop"), claim("logs", "stage"))


def listed(objects_of_it: list[dict[str, Any]]) -> Any:
    return value({"kind": "List", "metadata": {"resourceVersion": "7"}, "items": objects_of_it})


def furnish(answers: Answers) -> None:
    """What wishes ask for: lists, single objects, revisions, the storage class."""
    paths = answers.by_path
    for kind, plural in PLURALS.items():
        there = [one for one in WORKLOADS if one["kind"] == kind]
        paths[f"{APPS}/{plural}"] = listed(there)
        for one in there:
            place = one["metadata"]
            paths[f"{APPS}/namespaces/{place['namespace']}/{plural}/{place['name']}"] = value(one)
    paths[f"{APPS}/namespaces/shop/replicasets"] = listed([revision(CART, 3), revision(CART, 4)])
    paths[f"{APPS}/namespaces/stage/replicasets"] = listed([])
    paths["/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"] = listed([])
    paths["/api/v1/persistentvolumeclaims"] = listed(list(CLAIMS))
    for one in CLAIMS:
        place = one["metadata"]
        paths[f"/api/v1/namespaces/{place['namespace']}/persistentvolumeclaims/{place['name']}"] = value(one)
    fast = {"kind": "StorageClass", "metadata": {"name": "fast"}, "allowVolumeExpansion": True}
    paths["/apis/storage.k8s.io/v1/storageclasses/fast"] = value(fast)


def kubeconfig(folder: Path, server: str) -> Path:
    """For the cluster at that address."""
    file = folder / "kubeconfig"
    named = {"clusters": [{"name": "t", "cluster": {"server": server}}], "current-context": "t"}
    file.write_text(json.dumps({**named, "contexts": [{"name": "t", "context": {"cluster": "t"}}]}))
    return file
