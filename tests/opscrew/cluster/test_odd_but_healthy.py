"""Core kinds in states that look odd and are as they should be, each beside the broken state it resembles."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.cluster.network.webhooks import check_webhooks
from tests.support.kubernetes_objects import (
    ago,
    assessed,
    codes_of,
    condition,
    container,
    event,
    pod,
    ready,
    snapshot,
    thing,
)

DONE = {"terminated": {"exitCode": 0, "reason": "Completed"}}


def two_containers(first: dict[str, Any], policy: str) -> dict[str, Any]:
    """A pod of two containers, one of which runs, not ready for hours."""
    statuses = [
        {"name": "step-1", "ready": False, "restartCount": 0, "state": first},
        {"name": "step-2", "ready": True, "restartCount": 0, "state": {"running": {}}},
    ]
    made = pod(conditions=ready(False, reason="ContainersNotReady", since=ago(hours=3)), containerStatuses=statuses)
    made["spec"]["restartPolicy"] = policy
    return made


def test_a_pod_of_steps_is_not_ready_once_its_first_step_is_done() -> None:
    assert codes_of(two_containers(DONE, "Never")) == []
    assert codes_of(two_containers({"running": {}}, "Never")) == ["POD_NOT_READY"]
    assert codes_of(two_containers(DONE, "Always")) == ["POD_NOT_READY"]


def starting(*, minutes: float, probe: dict[str, Any]) -> list[dict[str, Any]]:
    """A pod that was made so long ago and whose probe has failed ten times since."""
    state = {"running": {"startedAt": ago(minutes=minutes)}}
    statuses = [{"name": "app", "ready": False, "started": False, "restartCount": 0, "state": state}]
    made = pod(conditions=ready(False, since=ago(minutes=minutes)), containerStatuses=statuses)
    made["metadata"]["creationTimestamp"] = ago(minutes=minutes)
    made["spec"]["containers"][0] |= probe
    return [made, event(made, "Unhealthy", "probe failed: connection refused", count=10, minutes=0)]


def test_a_program_may_take_its_time_to_start() -> None:
    slow = {"startupProbe": {"httpGet": {"port": 80}, "periodSeconds": 10, "failureThreshold": 120}}
    assert codes_of(*starting(minutes=15, probe=slow)) == []
    assert codes_of(*starting(minutes=25, probe=slow)) == ["POD_PROBE_FAILING"]
    plain = {"readinessProbe": {"httpGet": {"port": 80}}}
    assert codes_of(*starting(minutes=2, probe=plain)) == []
    assert codes_of(*starting(minutes=6, probe=plain)) == ["POD_PROBE_FAILING"]


@pytest.mark.parametrize("reason", ["TriggeredScaleUp", "Nominated"])
def test_a_node_that_is_on_its_way_is_waited_for(reason: str) -> None:
    waiting = pod(
        phase="Pending", conditions=[condition("PodScheduled", False, "Unschedulable", "0/3", since=ago(minutes=4))]
    )
    del waiting["spec"]["nodeName"]
    called = event(waiting, reason, "pod triggered scale-up: [{pool 3->4}]", count=1, minutes=3) | {"type": "Normal"}
    assert codes_of(waiting) == ["POD_UNSCHEDULABLE"]
    assert codes_of(waiting, called) == []
    assert codes_of(waiting, called | {"lastTimestamp": ago(minutes=30)}) == ["POD_UNSCHEDULABLE"]


def replica_set(ready_replicas: int) -> dict[str, Any]:
    status = {"replicas": 2, "readyReplicas": ready_replicas}
    return thing("ReplicaSet", version="apps/v1", spec={"replicas": 2}, status=status)


@pytest.mark.parametrize(
    ("reason", "code"), [("Evicted", "POD_EVICTED"), ("Terminated", "POD_FAILED"), ("NodeShutdown", "POD_FAILED")]
)
def test_what_is_left_of_pods_that_were_replaced_is_no_finding(reason: str, code: str) -> None:
    left = pod("left", owner=replica_set(2), phase="Failed", reason=reason, message="the node went down")
    assert codes_of(left, replica_set(1)) == [code]
    assert assessed(left, replica_set(2)).findings == []


def test_an_operator_that_retries_answers_for_its_failed_pods() -> None:
    flow = thing("Flow", version="flows.example.org/v1", status={"phase": "Running"})
    step = pod(
        "step",
        owner=flow,
        phase="Failed",
        containerStatuses=[container()[0] | {"state": {"terminated": {"exitCode": 1}}}],
    )
    assert codes_of(step, flow) == []
    flow["status"] = {"phase": "Failed", "message": "step failed"}
    assert "CUSTOM_RESOURCE_FAILED" in codes_of(step, flow) or "POD_FAILED" in codes_of(step, flow)


@pytest.mark.parametrize("kind", ["StatefulSet", "ReplicaSet"])
def test_a_file_without_a_date_and_without_pods_cannot_tell_a_shortage_from_a_start(kind: str) -> None:
    short = thing(kind, version="apps/v1", spec={"replicas": 3}, status={"replicas": 3, "readyReplicas": 1})
    short["metadata"]["managedFields"] = [{"time": ago(minutes=1)}]
    assert codes_of(short, dated=False) == []
    assert len(codes_of(short)) == 1


def service(**spec: Any) -> dict[str, Any]:
    return thing("Service", spec={"selector": {"app": "shop"}} | spec)


def test_a_service_of_pods_that_have_done_their_work_leads_nowhere_and_need_not() -> None:
    finished = pod(phase="Succeeded", conditions=ready(False, reason="PodCompleted"))
    assert codes_of(service(clusterIP="None"), finished) == []


def template(kind: str, replicas: int, name: str, version: str = "apps/v1") -> dict[str, Any]:
    spec = {"replicas": replicas, "template": {"metadata": {"labels": {"app": "shop"}}}}
    return thing(kind, name, version=version, spec=spec, status={"replicas": replicas})


def test_a_service_of_something_that_is_meant_to_have_no_pods() -> None:
    other = pod("other") | {"metadata": thing("Pod", "other", metadata={"labels": {"app": "other"}})["metadata"]}
    nothing_wanted = template("DaemonSet", 1, "agent") | {"status": {"desiredNumberScheduled": 0}}
    assert codes_of(service(), other) == ["SERVICE_WITHOUT_PODS"]
    assert codes_of(service(), other, nothing_wanted) == []
    assert codes_of(service(), other, template("Widget", 0, "w", "factory.example.org/v1")) == []
    # Of two colours one is at rest, and the other is meant to serve.
    blue, green = template("Deployment", 0, "blue"), template("Deployment", 2, "green")
    green["status"] |= {"readyReplicas": 2}
    assert codes_of(service(), other, blue) == []
    assert codes_of(service(), other, blue, green) == ["SERVICE_WITHOUT_PODS"]


def test_an_ingress_may_name_an_action_of_its_controller_for_a_service() -> None:
    backend = {"service": {"name": "ssl-redirect", "port": {"name": "use-annotation"}}}
    rules = [{"http": {"paths": [{"path": "/", "backend": backend}]}}]
    ingress = thing("Ingress", version="networking.k8s.io/v1", spec={"ingressClassName": "a", "rules": rules})
    other = thing("Service", "other", spec={})
    assert codes_of(ingress, other) == []
    backend["service"]["port"] = {"number": 80}
    assert codes_of(ingress, other) == ["INGRESS_BACKEND_MISSING"]


def leaving_node(*taints: str, minutes: float = 2, **metadata: Any) -> dict[str, Any]:
    status = {"conditions": [condition("Ready", "Unknown", "NodeStatusUnknown", since=ago(minutes=minutes))]}
    spec = {"taints": [{"key": key, "effect": "NoSchedule"} for key in taints]}
    return thing("Node", "node-1", namespace="", metadata=metadata, spec=spec, status=status)


def test_a_node_that_is_being_taken_away_may_fall_silent() -> None:
    assert codes_of(leaving_node()) == ["NODE_NOT_READY"]
    assert codes_of(leaving_node("ToBeDeletedByClusterAutoscaler")) == []
    assert codes_of(leaving_node("karpenter.sh/disrupted")) == []
    assert codes_of(leaving_node(deletionTimestamp=ago(minutes=2))) == []
    assert codes_of(leaving_node("ToBeDeletedByClusterAutoscaler", minutes=60)) == ["NODE_NOT_READY"]


def webhook() -> dict[str, Any]:
    hook = {"name": "check.example.org", "clientConfig": {"service": {"namespace": "team", "name": "shop"}}}
    return thing(
        "ValidatingWebhookConfiguration",
        "check",
        namespace="",
        version="admissionregistration.k8s.io/v1",
        webhooks=[hook],
    )


def test_a_webhook_whose_pod_is_just_being_replaced_gets_a_moment() -> None:
    new = pod(conditions=ready(False, since=ago(seconds=30)), containerStatuses=container(ready=False))
    new["metadata"]["creationTimestamp"] = ago(seconds=40)
    assert codes_of(webhook(), service(), new) == []
    new["metadata"]["creationTimestamp"] = ago(minutes=7)
    assert [problem.code for problem in check_webhooks(snapshot(webhook(), service(), new))] == ["WEBHOOK_UNREACHABLE"]


def test_an_autoscaler_without_metrics_for_a_moment_waits() -> None:
    def scaler(minutes: float) -> dict[str, Any]:
        lost = condition("ScalingActive", False, "FailedGetResourceMetric", "no metrics", since=ago(minutes=minutes))
        spec = {"scaleTargetRef": {"kind": "Deployment", "name": "shop"}, "maxReplicas": 3}
        return thing("HorizontalPodAutoscaler", version="autoscaling/v2", spec=spec, status={"conditions": [lost]})

    assert codes_of(scaler(2)) == []
    assert codes_of(scaler(10)) == ["AUTOSCALER_CANNOT_SCALE"]


@pytest.mark.parametrize("kind", ["ContainerRuntimeUp", "NetworkOnline", "ClockSynced", "DriverActive", "GpuOk"])
def test_more_conditions_of_nodes_are_good_when_true(kind: str) -> None:
    def node(value: bool) -> dict[str, Any]:
        conditions = [condition("Ready", True, "KubeletReady"), condition(kind, value)]
        return thing("Node", "node-1", namespace="", status={"conditions": conditions})

    assert codes_of(node(True)) == []
    assert codes_of(node(False)) == ["NODE_FAULT_REPORTED"]
