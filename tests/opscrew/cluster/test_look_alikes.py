"""Objects that look broken and are not, and the other way round."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubernetes_objects import ago, codes_of, condition, container, pod, ready, thing

READY = condition("Ready", True, "KubeletReady")


def node(*conditions: dict[str, Any]) -> dict[str, Any]:
    return thing("Node", "node-1", namespace="", status={"conditions": [READY, *conditions]})


@pytest.mark.parametrize(
    ("one", "codes"),
    [
        (condition("EtcdIsVoter", True, "MemberNotLearner"), []),
        (condition("StorageReady", True, "DiskIsReady"), []),
        (condition("StorageReady", False, "DiskIsReadOnly"), ["NODE_FAULT_REPORTED"]),
        (condition("VMEventScheduled", False, "NoVMEventScheduled"), []),
        (condition("VMEventScheduled", True, "Reboot"), ["NODE_FAULT_REPORTED"]),
        (condition("ReadonlyFilesystem", False, "FilesystemIsNotReadOnly"), []),
        (condition("StorageReady", "Unknown"), []),
    ],
)
def test_a_nodes_own_conditions_mean_what_their_names_say(one: dict[str, Any], codes: list[str]) -> None:
    assert codes_of(node(one)) == codes


@pytest.mark.parametrize("phase", ["Running", "Pending"])
def test_a_crashing_sidecar_is_told_also_while_the_pod_serves(phase: str) -> None:
    side = [container(9, waiting="CrashLoopBackOff")[0] | {"name": "side", "ready": False}]
    serving = pod(phase=phase, conditions=ready(), containerStatuses=container(ready=True), initContainerStatuses=side)
    assert codes_of(serving) == ["POD_CRASH_LOOPING"]


def test_an_init_container_that_came_to_its_end_and_a_debug_container_that_failed_are_fine() -> None:
    done = [{"name": "init", "ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}]
    failed = [{"name": "debug", "ready": False, "state": {"terminated": {"exitCode": 137, "reason": "Error"}}}]
    serving = pod(
        conditions=ready(),
        containerStatuses=container(ready=True),
        initContainerStatuses=done,
        ephemeralContainerStatuses=failed,
    )
    assert codes_of(serving) == []


def test_a_pod_on_a_node_that_is_gone_carries_that_word() -> None:
    assert codes_of(pod(phase="Unknown", reason="NodeLost", message="the node is unresponsive")) == ["POD_NOT_READY"]


def test_a_service_may_lead_to_pods_that_are_not_ready_on_purpose() -> None:
    starting = pod(conditions=ready(False, since=ago(minutes=2)), containerStatuses=container(ready=False))
    spec = {"clusterIP": "None", "selector": {"app": "shop"}}
    assert codes_of(thing("Service", spec=spec), starting) == ["SERVICE_WITHOUT_READY_PODS"]
    assert codes_of(thing("Service", spec=spec | {"publishNotReadyAddresses": True}), starting) == []


def ingress_class(*, default: bool) -> dict[str, Any]:
    annotations = {"ingressclass.kubernetes.io/is-default-class": str(default).lower()}
    version = "networking.k8s.io/v1"
    return thing("IngressClass", "inner", version=version, namespace="", metadata={"annotations": annotations})


def test_an_ingress_without_a_class_needs_a_default_one_or_a_controller_that_took_it() -> None:
    version = "networking.k8s.io/v1"
    served = {"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}}
    old_way = {"annotations": {"kubernetes.io/ingress.class": "inner"}}
    bare = thing("Ingress", version=version, spec={})
    assert codes_of(bare, ingress_class(default=False)) == ["INGRESS_CLASS_MISSING"]
    assert codes_of(bare, ingress_class(default=True)) == []
    assert codes_of(bare) == []  # nobody knows which classes there are
    assert codes_of(thing("Ingress", version=version, spec={}, status=served), ingress_class(default=False)) == []
    assert codes_of(thing("Ingress", version=version, spec={}, metadata=old_way), ingress_class(default=False)) == []


def workload(kind: str, status: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata = {"generation": 2}
    status = {"observedGeneration": 2} | status
    return thing(kind, version="apps/v1", metadata=metadata, spec={"replicas": 3} | spec, status=status)


def test_rollouts_that_somebody_holds_back_are_fine() -> None:
    held = {"replicas": 3, "readyReplicas": 3, "updatedReplicas": 1, "currentRevision": "a", "updateRevision": "b"}
    partition = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    assert codes_of(workload("StatefulSet", held, updateStrategy=partition)) == []
    assert codes_of(workload("StatefulSet", held, updateStrategy={"type": "OnDelete"})) == []
    short = {"readyReplicas": 1, "conditions": [condition("Available", False, "MinimumReplicasUnavailable")]}
    assert codes_of(workload("Deployment", short, paused=True)) == []
    assert codes_of(workload("Deployment", short)) == ["DEPLOYMENT_UNAVAILABLE"]
