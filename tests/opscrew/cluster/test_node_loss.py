"""One of three nodes is lost with its share of thirty pods: one finding from the first minute, all members listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import ago, assessed, condition, container, event, owned_by, thing

NODES = ("node-a", "node-b", "node-c")
LOST = "node-c"
EVICTED_AFTER = 5.5
"""Minutes after which the pods of a silent node are deleted and their grace period of half a minute is over."""


def node(name: str, minutes: float) -> dict[str, Any]:
    silent = condition(
        "Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.", since=ago(minutes=minutes)
    )
    ready = condition("Ready", True, "KubeletReady", since=ago(days=9))
    taints = [{"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}] if name == LOST else []
    return thing(
        "Node", name, namespace="", spec={"taints": taints}, status={"conditions": [silent if name == LOST else ready]}
    )


def member(name: str, owner: dict[str, Any], where: str, minutes: float, claim: str = "") -> dict[str, Any]:
    """A pod as it stood: those of the silent node were called unready with it, and deleted minutes later."""
    lost = where == LOST
    since = ago(minutes=minutes) if lost else ago(days=1)
    metadata: dict[str, Any] = {
        "labels": {"app": owner["metadata"]["labels"]["app"]},
        "ownerReferences": [owned_by(owner)],
    }
    if lost and minutes > EVICTED_AFTER and owner["kind"] != "DaemonSet":
        metadata["deletionTimestamp"] = ago(minutes=minutes - EVICTED_AFTER)
    volumes = [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}] if claim else []
    status = {
        "phase": "Running",
        "conditions": [condition("Ready", not lost, since=since), condition("PodScheduled", True, since=ago(days=1))],
        "containerStatuses": container(ready=True),
    }
    return thing("Pod", name, metadata=metadata, spec={"nodeName": where, "volumes": volumes}, status=status)


def workload(kind: str, name: str, replicas: int, ready: int, minutes: float, **spec: Any) -> dict[str, Any]:
    short = condition(
        "Available", False, "MinimumReplicasUnavailable", "no minimum availability", since=ago(minutes=minutes)
    )
    fine = condition("Available", True, "MinimumReplicasAvailable")
    done = condition("Progressing", True, "NewReplicaSetAvailable", since=ago(days=1))
    template = {"metadata": {"labels": {"app": name}}}
    status = {
        "replicas": replicas,
        "readyReplicas": ready,
        "desiredNumberScheduled": replicas,
        "numberReady": ready,
        "conditions": [short if ready < replicas else fine, done],
    }
    metadata = {"labels": {"app": name}}
    return thing(
        kind,
        name,
        version="apps/v1",
        metadata=metadata,
        spec={"replicas": replicas, "template": template, **spec},
        status=status,
    )


def deployment(name: str, places: tuple[str, ...], minutes: float) -> Iterator[dict[str, Any]]:
    ready = sum(place != LOST for place in places)
    whole = workload("Deployment", name, len(places), ready, minutes)
    replica_set = workload("ReplicaSet", f"{name}-1", len(places), ready, minutes)
    replica_set["metadata"] |= {"ownerReferences": [owned_by(whole)], "labels": {"app": name}}
    yield from (whole, replica_set, thing("Service", name, spec={"selector": {"app": name}}))
    yield from (member(f"{name}-1-{index}", replica_set, place, minutes) for index, place in enumerate(places))
    if minutes > EVICTED_AFTER:
        for index in range(len(places) - ready):
            yield replacement(f"{name}-1-new-{index}", replica_set, minutes - EVICTED_AFTER)


def replacement(name: str, owner: dict[str, Any], minutes: float) -> dict[str, Any]:
    """No room is left on the other two."""
    taint = "1 node(s) had untolerated taint {node.kubernetes.io/unreachable: }"
    message = f"0/3 nodes are available: {taint}, 2 Insufficient memory."
    waiting = condition("PodScheduled", False, "Unschedulable", message, since=ago(minutes=minutes))
    metadata = {
        "labels": owner["metadata"]["labels"],
        "ownerReferences": [owned_by(owner)],
        "creationTimestamp": ago(minutes=minutes),
    }
    return thing("Pod", name, metadata=metadata, status={"phase": "Pending", "conditions": [waiting]})


def stateful_set(name: str, places: tuple[str, ...], minutes: float) -> Iterator[dict[str, Any]]:
    templates = [{"metadata": {"name": "data"}}]
    whole = workload(
        "StatefulSet",
        name,
        len(places),
        sum(place != LOST for place in places),
        minutes,
        volumeClaimTemplates=templates,
        serviceName=name,
    )
    yield whole
    yield thing("Service", name, spec={"clusterIP": "None", "selector": {"app": name}})
    budget = {
        "expectedPods": len(places),
        "currentHealthy": len(places) - 1,
        "desiredHealthy": len(places),
        "disruptionsAllowed": 0,
    }
    short = [condition("DisruptionAllowed", False, "InsufficientPods", since=ago(minutes=minutes))]
    yield thing(
        "PodDisruptionBudget",
        name,
        version="policy/v1",
        spec={"selector": {"matchLabels": {"app": name}}},
        status={**budget, "conditions": short},
    )
    for index, place in enumerate(places):
        claim = f"data-{name}-{index}"
        yield thing(
            "PersistentVolumeClaim", claim, spec={"volumeName": f"pv-{name}-{index}"}, status={"phase": "Bound"}
        )
        yield member(f"{name}-{index}", whole, place, minutes, claim)


def cluster(minutes: float) -> list[dict[str, Any]]:
    """thirty pods before the loss, eleven of them on the lost node; ``minutes`` since it fell silent."""
    objects = [node(name, minutes) for name in NODES]
    for name in ("web", "api", "search", "cart"):
        objects += deployment(name, NODES, minutes)
    for name in ("mail", "pdf", "faq"):
        objects += deployment(name, (LOST,), minutes)
    for name in ("docs", "blog"):
        objects += deployment(name, ("node-a", "node-b"), minutes)
    objects += stateful_set("db", NODES, minutes)
    objects += stateful_set("queue", (LOST,), minutes)
    agents = workload("DaemonSet", "agent", 3, 2, minutes)
    objects += [agents, *(member(f"agent-{place[-1]}", agents, place, minutes) for place in NODES)]
    for name in ("x", "y"):
        objects += deployment(name, NODES[:2], minutes)
    return objects


@pytest.mark.parametrize("minutes", [0.8, 2, 4, 6, 7, 11, 20, 45, 600])
def test_a_lost_node_is_one_finding_at_any_time(minutes: float) -> None:
    objects = cluster(minutes)
    assert sum(one["kind"] == "Pod" and "-new-" not in one["metadata"]["name"] for one in objects) == 30
    (found,) = assessed(*objects).problems
    assert (found.code, found.subject.name, found.severity) == ("NODE_NOT_READY", LOST, Severity.CRITICAL)
    members = {f"{one['kind']} {one['name']}" for one in found.details["affected"]}
    assert members >= {f"Deployment {name}" for name in ("web", "api", "search", "cart", "mail", "pdf")}
    assert members >= {"StatefulSet db", "StatefulSet queue", "Service mail", "Service queue", "DaemonSet agent"}
    assert members >= {"Pod web-1-2", "Pod mail-1-0", "Pod db-2", "PersistentVolumeClaim data-queue-0"}
    assert not members & {"Deployment docs", "Deployment x", "Pod web-1-0", "Service web"}
    assert any("nothing ready is left of" in one.text and "Service team/mail" in one.text for one in found.evidence)


def test_a_crash_on_another_node_stays_a_finding_beside_the_lost_node() -> None:
    broken = thing(
        "Pod",
        "solo",
        spec={"nodeName": "node-a"},
        status={
            "phase": "Running",
            "containerStatuses": container(9, waiting="CrashLoopBackOff"),
            "conditions": [condition("Ready", False)],
        },
    )
    codes = [found.code for found in assessed(*cluster(3), broken).problems]
    assert codes == ["NODE_NOT_READY", "POD_CRASH_LOOPING"]


def test_a_service_with_a_ready_pod_elsewhere_is_not_called_lost() -> None:
    (found,) = assessed(*cluster(1)).problems
    assert not any("Service team/web" in one.text for one in found.evidence)


def test_a_volume_that_the_lost_node_holds_keeps_its_new_pod_waiting() -> None:
    objects = cluster(20)
    claim = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-queue-0"}}]}
    waiting = thing(
        "Pod",
        "queue-reader",
        spec={"nodeName": "node-a", **claim},
        status={"phase": "Pending", "conditions": [condition("PodScheduled", True)]},
    )
    message = 'Multi-Attach error for volume "pv-queue-0" Volume is already used by pod(s) queue-0'
    (found,) = assessed(*objects, waiting, event(waiting, "FailedAttachVolume", message)).problems
    assert found.code == "NODE_NOT_READY"
    assert {"kind": "Pod", "namespace": "team", "name": "queue-reader"} in found.details["affected"]


def test_the_same_failure_on_a_sound_node_is_not_laid_on_the_lost_one() -> None:
    objects = cluster(20)
    ill = next(one for one in objects if one["kind"] == "Pod" and one["metadata"]["name"] == "web-1-0")
    ill["status"]["conditions"] = [condition("Ready", False, "ContainersNotReady", since=ago(hours=2))]
    failing = event(ill, "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500")
    lost, probe = assessed(*objects, failing).problems
    assert (lost.code, probe.code, probe.subject.name) == ("NODE_NOT_READY", "POD_PROBE_FAILING", "web")
    assert "web-1-0" in probe.cause


def test_two_lost_nodes_are_two_findings_and_share_out_their_pods() -> None:
    objects = cluster(20)
    second = next(one for one in objects if one["kind"] == "Node" and one["metadata"]["name"] == "node-b")
    second["status"] = objects[2]["status"]
    for one in objects:
        if one["kind"] == "Pod" and one.get("spec", {}).get("nodeName") == "node-b":
            one["status"]["conditions"] = [condition("Ready", False, since=ago(minutes=20))]
    found = assessed(*objects).problems
    assert [(one.code, one.subject.name) for one in found] == [("NODE_NOT_READY", "node-b"), ("NODE_NOT_READY", LOST)]
    assert len({one.fingerprint for one in found}) == 2
