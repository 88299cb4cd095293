"""Fills a test cluster with thousands of pods, some of them broken, with the events that belong to them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from tests.support.kubernetes import ControlPlane

_CRASH = {
    "restartCount": 7,
    "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container=app"}},
    "lastState": {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:00:00Z"}},
}
_PULL = {
    "restartCount": 0,
    "state": {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "shop/app:absent"'}},
}


def fill(plane: ControlPlane, *, pods: int, broken: int, nodes: int = 50, namespaces: int = 20) -> None:
    """Creates nodes, namespaces, pods and one event per broken pod. Needs kwok, which makes the pods run."""
    plane.apply(
        *({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{n}"}} for n in range(namespaces))
    )
    plane.apply(*(_node(number) for number in range(nodes)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(plane.apply, (_pod(number, namespaces, nodes) for number in range(pods))))
    _wait_until_running(plane, pods)
    every = pods // broken
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: _break(plane, number * every, namespaces), range(broken)))


def _node(number: int) -> dict[str, Any]:
    metadata = {"name": f"node-{number}", "annotations": {"kwok.x-k8s.io/node": "fake"}}
    room = {"cpu": "64", "memory": "256Gi", "pods": "1000"}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "status": {"allocatable": room, "capacity": room}}


def _pod(number: int, namespaces: int, nodes: int) -> dict[str, Any]:
    """About 5 KB once it runs, like a pod of a real cluster: environment, probes, volumes, labels."""
    name = f"pod-{number}"
    labels = {
        "app.kubernetes.io/name": "shop",
        "app.kubernetes.io/instance": name,
        "team": f"team-{number % namespaces}",
    }
    probe = {"httpGet": {"path": "/healthz", "port": 8080}, "periodSeconds": 10}
    container = {
        "name": "app",
        "image": "registry.example.org/shop/app:1.2.3",
        "env": [{"name": f"SETTING_{n}", "value": f"a value of some length for setting {n}"} for n in range(20)],
        "resources": {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        "livenessProbe": probe,
        "readinessProbe": probe,
        "ports": [{"containerPort": 8080}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": f"team-{number % namespaces}", "labels": labels},
        "spec": {
            "nodeName": f"node-{number % nodes}",
            "containers": [container],
            "automountServiceAccountToken": False,
        },
    }


def _wait_until_running(plane: ControlPlane, pods: int) -> None:
    import time

    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        query = {"fieldSelector": "status.phase!=Running", "limit": "1"}
        if not plane.http.get("/api/v1/pods", params=query).json()["items"]:
            return
        time.sleep(1)
    raise AssertionError(f"not all of {pods} pods came to run")


def _break(plane: ControlPlane, number: int, namespaces: int) -> None:
    namespace, name = f"team-{number % namespaces}", f"pod-{number}"
    state = _CRASH if number % 2 else _PULL
    container = {"name": "app", "ready": False, "image": "shop/app", "imageID": "", **state}
    conditions = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    path = f"/api/v1/namespaces/{namespace}/pods/{name}"
    plane.patch_status(path, {"containerStatuses": [container], "conditions": conditions})
    uid = plane.http.get(path).json()["metadata"]["uid"]
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    plane.apply(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{name}.failing", "namespace": namespace},
            "involvedObject": {"kind": "Pod", "namespace": namespace, "name": name, "uid": uid},
            "type": "Warning",
            "reason": "BackOff",
            "message": "Back-off restarting failed container app",
            "count": 12,
            "firstTimestamp": now,
            "lastTimestamp": now,
        }
    )
