"""The cluster of the shop that benchmarks ask about: sixty pods, of which some are in all the usual trouble."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.kubernetes_objects import condition, container, event, pod, ready, thing

LISTS = {
    "Pod": "/api/v1/pods",
    "Node": "/api/v1/nodes",
    "Namespace": "/api/v1/namespaces",
    "Deployment": "/apis/apps/v1/deployments",
    "Event": "/api/v1/events",
}
WELL = {"checkout": ("web", "search", "payments", "catalogue"), "monitoring": ("grafana", "prometheus")}
PODS_EACH = 9
CRASH = "back-off 5m0s restarting failed container=app pod=cart-7f9c6d8b54-x2k4q"
PULL = 'Back-off pulling image "registry.example.org/shop/image-resizer:2.4.1": manifest unknown'


def objects(now: datetime) -> dict[str, list[dict[str, Any]]]:
    """By path of their list, as the API serves them."""
    found: dict[str, list[dict[str, Any]]] = {path: [] for path in LISTS.values()}
    for one in (*_well(), *_broken(), *_nodes(now)):
        found[LISTS[one["kind"]]].append(_dated(one, now))
    return found


def _well() -> list[dict[str, Any]]:
    made = [thing("Namespace", name, namespace="") for name in (*WELL, "kube-system")]
    for namespace, names in WELL.items():
        for name in names:
            made += [_in(pod(f"{name}-5b8d9-{n}", conditions=ready()), namespace) for n in range(PODS_EACH)]
    return made


def _broken() -> list[dict[str, Any]]:
    killed = {"terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-01-01T00:00:00Z"}}
    states = {
        "cart-7f9c6d8b54": container(9, waiting="CrashLoopBackOff", message=CRASH),
        "session-cache-6c4f": container(4, waiting="CrashLoopBackOff", lastState=killed),
        "image-resizer-59b7": container(0, waiting="ImagePullBackOff", message=PULL),
        "prometheus-adapter-8d5": container(0, waiting="CreateContainerConfigError", message='secret "tls" not found'),
    }
    reasons = {"cart-7f9c6d8b54": ("BackOff", CRASH), "image-resizer-59b7": ("Failed", PULL)}
    made: list[dict[str, Any]] = []
    for name, state in states.items():
        namespace = "monitoring" if name.startswith("prometheus") else "checkout"
        for number in range(2):
            one = _in(pod(f"{name}-{number}", containerStatuses=state, conditions=ready(False)), namespace)
            made.append(one)
            if name in reasons:
                made.append(event(one, *reasons[name]))
    full = [condition("PodScheduled", False, "Unschedulable", "0/6 nodes are available: 6 Insufficient memory.")]
    made.append(_in(pod("report-29114-zx81", phase="Pending", conditions=full), "checkout"))
    made.append(_in(pod("fluentd-x7", phase="Failed", reason="Evicted", message="low on disk"), "kube-system"))
    return made


def _nodes(now: datetime) -> list[dict[str, Any]]:
    well, lost = [condition("Ready", True)], [condition("Ready", "Unknown", "NodeStatusUnknown", "no kubelet status")]
    return [thing("Node", f"node-{n}", namespace="", status={"conditions": lost if n == 4 else well}) for n in range(6)]


def _in(one: dict[str, Any], namespace: str) -> dict[str, Any]:
    one["metadata"] |= {"namespace": namespace, "uid": f"{namespace}-{one['metadata']['name']}"}
    return one


def _dated(one: dict[str, Any], now: datetime) -> dict[str, Any]:
    """A day old, and its events an hour: the test objects stand on a day of their own."""
    one["metadata"] = {"creationTimestamp": _before(now, days=1), "name": one["kind"].lower()} | {
        key: value for key, value in one.get("metadata", {}).items() if key != "creationTimestamp"
    }
    for key, age in (("firstTimestamp", 60), ("lastTimestamp", 4)):
        if key in one:
            one[key] = _before(now, minutes=age)
    for state in one.get("status", {}).get("conditions", ()):
        state["lastTransitionTime"] = _before(now, hours=1)
    return one


def _before(now: datetime, **amount: float) -> str:
    return (now - timedelta(**amount)).isoformat(timespec="seconds").replace("+00:00", "Z")
