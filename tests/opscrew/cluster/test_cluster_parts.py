"""Nodes, volumes, networking, admission, autoscaling, quotas, certificates: one broken and one sound example each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import ago, assessed, codes_of, condition, event, pod, ready, thing

EVERYTHING = frozenset(
    {"Pod", "Service", "Deployment", "StorageClass", "IngressClass", "GatewayClass.gateway.networking.k8s.io"}
)


def node(*conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return thing("Node", "node-1", namespace="", status={"conditions": list(conditions)}, **more)


def test_a_node_that_is_not_ready_is_critical() -> None:
    (found,) = assessed(node(condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting"))).problems
    assert (found.code, found.reason, found.severity) == ("NODE_NOT_READY", "NodeStatusUnknown", Severity.CRITICAL)


def test_conditions_of_a_problem_detector_are_fine_when_false() -> None:
    assert codes_of(node(condition("Ready", True), condition("KernelDeadlock", False, "KernelHasNoDeadlock"))) == []
    assert codes_of(node(condition("Ready", True), condition("KernelDeadlock", True, "DockerHung"))) == [
        "NODE_FAULT_REPORTED"
    ]
    assert codes_of(node(condition("Ready", True), condition("DiskPressure", True))) == ["NODE_UNDER_PRESSURE"]


def test_a_new_node_gets_a_few_minutes() -> None:
    starting = node(condition("Ready", False, "KubeletNotReady"), metadata={"creationTimestamp": ago(minutes=2)})
    assert codes_of(starting) == []


def claim(phase: str = "Pending", **spec: Any) -> dict[str, Any]:
    return thing("PersistentVolumeClaim", "data", spec=spec, status={"phase": phase})


def storage_class(name: str, *, default: bool = False, **more: Any) -> dict[str, Any]:
    annotations = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    version = "storage.k8s.io/v1"
    return thing("StorageClass", name, version=version, namespace="", metadata={"annotations": annotations}, **more)


def test_a_claim_is_told_by_what_keeps_it_waiting() -> None:
    assert codes_of(claim(storageClassName="fast"), storage_class("slow"), listed=EVERYTHING) == [
        "STORAGE_CLASS_MISSING"
    ]
    late = storage_class("fast", volumeBindingMode="WaitForFirstConsumer")
    assert codes_of(claim(storageClassName="fast"), late) == []
    assert codes_of(claim()) == ["VOLUME_UNBOUND"]
    assert codes_of(claim(), event(claim(), "ProvisioningFailed", "quota of disks exceeded")) == [
        "VOLUME_PROVISIONING_FAILED"
    ]
    assert codes_of(claim("Lost", volumeName="pv-1")) == ["VOLUME_LOST"]


def test_volumes_left_behind_and_failed() -> None:
    spec = {"persistentVolumeReclaimPolicy": "Retain", "claimRef": {"namespace": "team", "name": "data"}}
    released = thing("PersistentVolume", "pv-1", namespace="", spec=spec, status={"phase": "Released"})
    failed = thing("PersistentVolume", "pv-2", namespace="", spec=spec, status={"phase": "Failed", "message": "busy"})
    assert [finding.code for finding in assessed(released, failed).findings] == ["VOLUME_FAILED", "VOLUME_RELEASED"]


def test_two_default_classes_are_one_problem() -> None:
    assert codes_of(storage_class("a", default=True), storage_class("b", default=True)) == ["STORAGE_CLASS_DEFAULTS"]
    assert codes_of(storage_class("a", default=True), storage_class("b")) == []


def service(name: str = "shop", **spec: Any) -> dict[str, Any]:
    spec = {"selector": {"app": "shop"}, "ports": [{"port": 80, "name": "http"}]} | spec
    return thing("Service", name, spec=spec, status={"loadBalancer": {}})


def test_a_service_leads_to_ready_pods() -> None:
    assert codes_of(service(), pod(conditions=ready())) == []
    lost = service("lost", selector={"app": "gone"})
    assert codes_of(lost, pod(conditions=ready())) == ["SERVICE_WITHOUT_PODS"]
    assert "SERVICE_WITHOUT_READY_PODS" in codes_of(service(), pod(conditions=ready(False, since=ago(minutes=7))))


def test_a_service_of_a_workload_scaled_to_zero_is_meant_so() -> None:
    template = {"metadata": {"labels": {"app": "shop"}}}
    idle = thing("Deployment", version="apps/v1", spec={"replicas": 0, "template": template})
    assert codes_of(service(), idle, listed=EVERYTHING) == []


def test_services_without_selector_and_files_without_pods_are_left_alone() -> None:
    assert codes_of(service(selector=None), pod(conditions=ready())) == []
    assert codes_of(service()) == []


def test_a_load_balancer_without_address() -> None:
    waiting = service(type="LoadBalancer", selector=None)
    assert codes_of(waiting) == ["LOAD_BALANCER_PENDING"]
    assert codes_of(waiting, event(waiting, "SyncLoadBalancerFailed", "no subnet")) == ["LOAD_BALANCER_FAILED"]
    waiting["metadata"]["creationTimestamp"] = ago(minutes=5)
    assert codes_of(waiting) == []


def ingress(service_name: str, port: int | str = 80, **spec: Any) -> dict[str, Any]:
    backend = {"service": {"name": service_name, "port": {"number": port} if isinstance(port, int) else {"name": port}}}
    spec = {"rules": [{"http": {"paths": [{"path": "/", "backend": backend}]}}]} | spec
    return thing("Ingress", version="networking.k8s.io/v1", spec=spec)


@pytest.mark.parametrize(
    ("name", "port", "reason"),
    [("shop", 80, ""), ("shop", "http", ""), ("gone", 80, "ServiceNotFound"), ("shop", 8080, "PortNotFound")],
)
def test_an_ingress_names_services_and_ports_that_exist(name: str, port: int | str, reason: str) -> None:
    found = assessed(ingress(name, port), service(selector=None)).problems
    assert [finding.reason for finding in found] == ([reason] if reason else [])


def test_an_ingress_or_gateway_of_a_missing_class_is_served_by_nobody() -> None:
    gateway = thing("Gateway", version="gateway.networking.k8s.io/v1", spec={"gatewayClassName": "none"})
    lonely = ingress("shop", ingressClassName="none")
    assert codes_of(lonely, gateway, service(selector=None), listed=EVERYTHING) == ["INGRESS_CLASS_MISSING"] * 2
    assert codes_of(lonely, gateway) == []


def test_a_route_to_a_missing_service() -> None:
    route = thing(
        "HTTPRoute",
        version="gateway.networking.k8s.io/v1",
        spec={"rules": [{"backendRefs": [{"name": "gone", "port": 80}]}]},
    )
    assert codes_of(route, service(selector=None)) == ["INGRESS_BACKEND_MISSING"]


def webhook(policy: str) -> dict[str, Any]:
    hook = {
        "name": "check.example.org",
        "failurePolicy": policy,
        "clientConfig": {"service": {"namespace": "team", "name": "hook"}},
    }
    version = "admissionregistration.k8s.io/v1"
    return thing("ValidatingWebhookConfiguration", "check", version=version, namespace="", webhooks=[hook])


def test_a_webhook_without_anyone_behind_it_blocks() -> None:
    (found,) = assessed(webhook("Fail"), listed=EVERYTHING).problems
    assert (found.code, found.severity) == ("WEBHOOK_UNREACHABLE", Severity.CRITICAL)
    assert assessed(webhook("Ignore"), listed=EVERYTHING).problems[0].severity is Severity.WARNING
    assert codes_of(webhook("Fail"), service("hook"), pod(conditions=ready()), listed=EVERYTHING) == []


def autoscaler(*conditions: dict[str, Any], version: str = "autoscaling/v2") -> dict[str, Any]:
    spec = {"scaleTargetRef": {"kind": "Deployment", "name": "shop"}, "maxReplicas": 4}
    if version == "autoscaling/v1":
        written = {"autoscaling.alpha.kubernetes.io/conditions": json.dumps(list(conditions))}
        return thing("HorizontalPodAutoscaler", version=version, spec=spec, metadata={"annotations": written})
    return thing("HorizontalPodAutoscaler", version=version, spec=spec, status={"conditions": list(conditions)})


@pytest.mark.parametrize("version", ["autoscaling/v1", "autoscaling/v2"])
def test_an_autoscaler_without_metrics_cannot_scale(version: str) -> None:
    blind = condition("ScalingActive", False, "FailedGetResourceMetric", "missing request for cpu")
    (found,) = assessed(autoscaler(blind, version=version)).problems
    assert (found.code, found.reason) == ("AUTOSCALER_CANNOT_SCALE", "FailedGetResourceMetric")
    switched_off = condition("ScalingActive", False, "ScalingDisabled")
    assert codes_of(autoscaler(switched_off, version=version)) == []


def test_an_autoscaler_without_target_and_one_at_its_maximum() -> None:
    other = thing("Deployment", "other", version="apps/v1", spec={"replicas": 0})
    assert codes_of(autoscaler(), other) == ["AUTOSCALER_TARGET_MISSING"]
    full = assessed(autoscaler(condition("ScalingLimited", True, "TooManyReplicas")))
    assert [finding.code for finding in full.findings] == ["AUTOSCALER_AT_MAXIMUM"]
    assert full.problems == []


def budget(healthy: int, desired: int, allowed: int) -> dict[str, Any]:
    status = {"expectedPods": 3, "currentHealthy": healthy, "desiredHealthy": desired, "disruptionsAllowed": allowed}
    return thing("PodDisruptionBudget", version="policy/v1", spec={"selector": {}}, status=status)


def test_a_budget_that_lets_nothing_go() -> None:
    assert codes_of(budget(3, 3, 0)) == ["DISRUPTION_BUDGET_BLOCKS"]
    assert codes_of(budget(3, 2, 1)) == []


def test_a_full_quota_is_a_hint() -> None:
    status = {"hard": {"memory": "2Gi", "pods": "10"}, "used": {"memory": "1945Mi", "pods": "3"}}
    (found,) = assessed(thing("ResourceQuota", status=status)).findings
    assert (found.code, found.severity) == ("QUOTA_NEARLY_USED", Severity.INFO)
    assert "memory is 95 % used" in found.cause


def certificate(days: float, life: float = 90) -> dict[str, Any]:
    status = {"notAfter": ago(days=-days), "notBefore": ago(days=life - days), "conditions": ready()}
    return thing("Certificate", version="certificates.example.org/v1", status=status)


@pytest.mark.parametrize(("days", "severity"), [(60, None), (15, "warning"), (3, "critical"), (-1, "critical")])
def test_a_certificate_is_told_before_it_ends(days: float, severity: str | None) -> None:
    assert [finding.severity for finding in assessed(certificate(days)).problems] == ([severity] if severity else [])


def test_a_certificate_of_a_day_is_measured_by_its_own_life() -> None:
    assert codes_of(certificate(0.5, life=1)) == []
    assert codes_of(certificate(0.1, life=1)) == ["CERTIFICATE_EXPIRING"]


def test_a_namespace_that_cannot_empty_says_what_is_left() -> None:
    left = condition("NamespaceContentRemaining", True, "SomeResourcesRemain", "widgets.example.org has 3 instances")
    stuck = thing("Namespace", "old", namespace="", status={"phase": "Terminating", "conditions": [left]})
    stuck["metadata"]["deletionTimestamp"] = ago(hours=5)
    (found,) = assessed(stuck).problems
    assert found.code == "TERMINATING_STUCK"
    assert "widgets.example.org has 3 instances" in found.cause


def test_a_default_deny_policy_is_no_finding_and_one_that_selects_nothing_is_a_hint() -> None:
    deny = thing("NetworkPolicy", version="networking.k8s.io/v1", spec={"podSelector": {}, "policyTypes": ["Ingress"]})
    assert assessed(deny, pod(conditions=ready())).findings == []
    lost = thing("NetworkPolicy", version="networking.k8s.io/v1", spec={"podSelector": {"matchLabels": {"app": "x"}}})
    assert [finding.code for finding in assessed(lost, pod(conditions=ready())).findings] == ["NETWORK_POLICY_UNUSED"]


def test_config_maps_near_the_limit_empty_and_unused() -> None:
    large = thing("ConfigMap", "large", data={"a": "x" * 1_000_000})
    empty, used = thing("ConfigMap", "empty"), thing("ConfigMap", "used", data={"a": "b"})
    unused = thing("ConfigMap", "unused", data={"a": "b"})
    reader = pod(conditions=ready())
    reader["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "used"}}]
    found = assessed(large, empty, used, unused, reader, listed=EVERYTHING).findings
    assert [(finding.subject.name, finding.reason) for finding in found] == [
        ("large", "TooLarge"),
        ("empty", "Empty"),
        ("unused", "Unused"),
    ]


def test_an_api_that_stays_away_is_critical() -> None:
    gone = condition("Available", False, "MissingEndpoints", "no addresses")
    assert codes_of(thing("APIService", version="apiregistration.k8s.io/v1", status={"conditions": [gone]})) == [
        "API_UNAVAILABLE"
    ]
    gone["lastTransitionTime"] = ago(minutes=2)
    assert codes_of(thing("APIService", version="apiregistration.k8s.io/v1", status={"conditions": [gone]})) == []


def test_roles_that_allow_everything_and_privileged_containers_are_hints() -> None:
    role = thing("Role", version="rbac.authorization.k8s.io/v1", rules=[{"verbs": ["*"], "resources": ["*"]}])
    spec = {"template": {"spec": {"containers": [{"name": "app", "securityContext": {"privileged": True}}]}}}
    found = assessed(role, thing("Deployment", version="apps/v1", spec=spec))
    assert {finding.code for finding in found.findings} == {"ROLE_ALLOWS_EVERYTHING", "CONTAINER_PRIVILEGED"}
    assert found.problems == []
