"""A node of three falls silent under a real controller manager: one finding in the minute in which it says so.

What the controllers write then (the node's conditions, its pods' readiness, the counts of workloads, the budget) is
theirs; only the kubelets are pretended, and two of them are kept alive by renewing their leases.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest

from crews.runtime.clusters import snapshot_of
from opscrew.clock import utc_now
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.model.finding import Finding
from tests.support.kubernetes import ControlPlane, control_plane
from tests.support.parts import need_control_plane
from tools.kubernetes.access import from_kubeconfig
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.sweep import read_cluster

pytestmark = pytest.mark.real

NODES = ("node-1", "node-2", "node-3")
LOST = NODES[-1]
PATIENCE = 180
SPREAD = ("web", "api", "cart", "search", "mail", "docs", "blog", "queue")


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    need_control_plane(full=True, kwok=True)
    with ExitStack() as stack:
        running = stack.enter_context(control_plane(tmp_path_factory.mktemp("plane"), full=True, kwok=True))
        room = {"cpu": "8", "memory": "16Gi", "pods": "100"}
        for name in NODES:
            metadata = {"name": name, "labels": {"kubernetes.io/hostname": name}}
            status = {"allocatable": room, "capacity": room}
            running.apply({"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": status})
        running.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
        until(lambda: running.http.get("/api/v1/namespaces/shop/serviceaccounts/default").is_success)
        yield running


def until(what: Any) -> Any:
    ends = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < ends, "it did not come in time"
        time.sleep(0.5)
    return found


def workload(kind: str, name: str, replicas: int, **pod: Any) -> dict[str, Any]:
    labels = {"app": name}
    spec = {"containers": [{"name": "app", "image": "shop/app:1"}], **pod}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": spec},
            **({"serviceName": name} if kind == "StatefulSet" else {}),
        },
    }


def service(name: str) -> dict[str, Any]:
    spec = {"selector": {"app": name}, "ports": [{"port": 80}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def fill(plane: ControlPlane) -> int:
    """Thirty pods; how many there are to come."""
    spread = {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule",
    }
    for name in SPREAD:
        constraint = {**spread, "labelSelector": {"matchLabels": {"app": name}}}
        plane.apply(workload("Deployment", name, 3, topologySpreadConstraints=[constraint]), service(name))
    constraint = {**spread, "labelSelector": {"matchLabels": {"app": "db"}}}
    plane.apply(workload("StatefulSet", "db", 3, topologySpreadConstraints=[constraint]), service("db"))
    for name in ("solo", "pdf"):
        plane.apply(workload("Deployment", name, 1, nodeSelector={"kubernetes.io/hostname": LOST}), service(name))
    plane.apply(workload("Deployment", "away", 1, nodeSelector={"kubernetes.io/hostname": NODES[0]}), service("away"))
    return 3 * len(SPREAD) + 3 + 3


def keep_alive(plane: ControlPlane, over: threading.Event) -> None:
    """Renews the leases of the other two, as their kubelets would."""
    headers = {"Content-Type": "application/merge-patch+json"}
    while not over.wait(3):
        for name in NODES:
            if name != LOST:
                renewed = {"spec": {"renewTime": utc_now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")}}
                path = f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}"
                plane.http.patch(path, json=renewed, headers=headers).raise_for_status()


def told(client: KubernetesClient, later: timedelta = timedelta(0)) -> list[Finding]:
    return assess(snapshot_of(read_cluster(client), utc_now() + later), load_noise()).problems


def test_a_silent_node_is_one_finding_from_its_first_minute(plane: ControlPlane) -> None:
    pods = fill(plane)
    path = "/apis/apps/v1/namespaces/shop/deployments"
    until(
        lambda: all(
            d["status"].get("readyReplicas") == d["spec"]["replicas"] for d in plane.http.get(path).json()["items"]
        )
    )
    until(
        lambda: (
            sum(p["status"].get("phase") == "Running" for p in plane.http.get("/api/v1/pods").json()["items"]) == pods
        )
    )
    over = threading.Event()
    alive = threading.Thread(target=keep_alive, args=(plane, over))
    alive.start()
    try:
        with KubernetesClient(from_kubeconfig(plane.kubeconfig)) as client:
            assert told(client) == []
            plane.silence_kubelets()
            until(lambda: told(client))
            for later in (0, 1, 2, 4, 10, 30):
                (found,) = told(client, timedelta(minutes=later))
                assert (found.code, found.subject.name, found.severity.value) == ("NODE_NOT_READY", LOST, "critical")
                members = {f"{one['kind']} {one['name']}" for one in found.details["affected"]}
                assert members >= {f"Deployment {name}" for name in (*SPREAD, "solo", "pdf")}
                assert members >= {"StatefulSet db", "Service solo", "Service pdf"}
                assert sum(one.startswith("Pod ") for one in members) == pods // 3 + 1
                assert not members & {"Deployment away", "Service away", "Service web"}
    finally:
        over.set()
        alive.join()
