"""The cause first: symptoms go under it, and nothing is told twice."""

from __future__ import annotations

from typing import Any

from opscrew.cluster.report.causes import PLACES
from opscrew.cluster.report.folding import folding
from opscrew.findings.codes import codes
from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import ago, assessed, condition, container, event, owned_by, pod, ready, thing


def deployment_of(*pods: str, node: str = "node-1", **status: Any) -> list[dict[str, Any]]:
    """A deployment that is short of all its pods, its replica set, and pods with that status."""
    stuck = condition("Progressing", False, "ProgressDeadlineExceeded", "timed out")
    whole = {"conditions": [stuck], "replicas": len(pods), "readyReplicas": 0}
    deployment = thing("Deployment", version="apps/v1", spec={"replicas": len(pods)}, status=whole)
    owner = {"ownerReferences": [owned_by(deployment)]}
    count = {"replicas": len(pods)}
    replica_set = thing("ReplicaSet", "shop-6d4", version="apps/v1", spec=count, status=count, metadata=owner)
    members = [pod(name, owner=replica_set, **status) for name in pods]
    for member in members:
        member["spec"]["nodeName"] = node
    return [deployment, replica_set, *members]


def test_crashing_pods_their_deployment_and_service_are_one_finding() -> None:
    objects = deployment_of(
        "shop-1",
        "shop-2",
        "shop-3",
        containerStatuses=container(8, waiting="CrashLoopBackOff"),
        conditions=ready(False, reason="ContainersNotReady"),
    )
    service = thing("Service", spec={"selector": {"app": "shop"}})
    (found,) = assessed(*objects, service).problems
    assert (found.code, found.reason) == ("POD_CRASH_LOOPING", "CrashLoopBackOff")
    assert (found.subject.kind, found.subject.scope, found.subject.name) == ("Deployment", "prod/team", "shop")
    assert "3 pods" in found.cause
    affected = {(entry["kind"], entry["name"]) for entry in found.details["affected"]}
    assert found.details["affected_total"] == 4
    assert affected == {("Pod", "shop-1"), ("Pod", "shop-2"), ("Pod", "shop-3"), ("Service", "shop")}
    assert found.severity is Severity.CRITICAL  # no replica is left


def test_a_finding_keeps_its_identity_when_its_pods_are_replaced() -> None:
    first = deployment_of("shop-1", containerStatuses=container(8, waiting="CrashLoopBackOff"))
    later = deployment_of("shop-7", "shop-8", containerStatuses=container(8, waiting="CrashLoopBackOff"))
    assert assessed(*first).problems[0].fingerprint == assessed(*later).problems[0].fingerprint


def test_a_dead_node_explains_its_pods_and_their_deployment() -> None:
    lost = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    node = thing("Node", "node-7", namespace="", status={"conditions": [lost]})
    pods = deployment_of("shop-1", "shop-2", node="node-7", conditions=ready(False, reason="NodeNotReady"))
    (found,) = assessed(node, *pods).problems
    assert found.code == "NODE_NOT_READY"
    assert {entry["kind"] for entry in found.details["affected"]} >= {"Pod", "Deployment"}


def test_a_missing_storage_class_explains_the_claim_the_pod_and_the_set() -> None:
    stateful_set = thing("StatefulSet", "db", version="apps/v1", spec={"replicas": 1}, status={"readyReplicas": 0})
    claim = thing("PersistentVolumeClaim", "data-db-0", spec={"storageClassName": "gone"}, status={"phase": "Pending"})
    waiting = pod("db-0", owner=stateful_set, phase="Pending")
    waiting["spec"] = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]}
    unplaced = condition("PodScheduled", False, "Unschedulable", "pod has unbound immediate PersistentVolumeClaims")
    waiting["status"]["conditions"] = [unplaced]
    failed = event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "gone" not found')
    (found,) = assessed(stateful_set, claim, waiting, failed).problems
    assert found.code == "STORAGE_CLASS_MISSING"
    assert found.subject.kind == "PersistentVolumeClaim"


def test_a_webhook_without_pods_explains_the_pods_it_blocks() -> None:
    hook = {"name": "check.example.org", "clientConfig": {"service": {"namespace": "team", "name": "hook"}}}
    version = "admissionregistration.k8s.io/v1"
    webhook = thing("ValidatingWebhookConfiguration", "check", version=version, namespace="", webhooks=[hook])
    replica_set = thing("ReplicaSet", version="apps/v1", spec={"replicas": 2}, status={"replicas": 0})
    message = 'Internal error occurred: failed calling webhook "check.example.org": connection refused'
    listed = frozenset({"Pod", "Service"})
    (found,) = assessed(webhook, replica_set, event(replica_set, "FailedCreate", message), listed=listed).problems
    assert found.code == "WEBHOOK_UNREACHABLE"
    assert found.details["affected"] == [{"kind": "ReplicaSet", "namespace": "team", "name": "shop"}]


def test_a_hint_is_never_taken_for_a_cause() -> None:
    node = thing("Node", "node-1", namespace="", spec={"unschedulable": True}, status={"conditions": ready()})
    unready = pod(conditions=ready(False, reason="ContainersNotReady"))
    assert [finding.code for finding in assessed(node, unready).findings] == ["POD_NOT_READY", "NODE_CORDONED"]


def test_two_different_failures_of_one_workload_stay_two() -> None:
    objects = deployment_of("shop-1", "shop-2", containerStatuses=container(8, waiting="CrashLoopBackOff"))
    objects[-1]["status"]["containerStatuses"] = container(waiting="ImagePullBackOff")
    assert sorted(finding.code for finding in assessed(*objects).problems) == [
        "POD_CRASH_LOOPING",
        "POD_IMAGE_PULL_FAILED",
    ]


def test_causes_in_a_circle_leave_one_finding() -> None:
    # A budget blamed on a pod that is blamed on nothing else, and a service on the same pod.
    unready = pod(conditions=ready(False, since=ago(hours=2)))
    status = {"expectedPods": 1, "currentHealthy": 0, "desiredHealthy": 1, "disruptionsAllowed": 0}
    budget = thing("PodDisruptionBudget", version="policy/v1", spec={"selector": {}}, status=status)
    service = thing("Service", spec={"selector": {"app": "shop"}})
    (found,) = assessed(unready, budget, service).problems
    assert found.code == "POD_NOT_READY"
    assert found.details["affected_total"] == 2


def test_a_deletion_that_hangs_because_its_resource_failed_goes_under_the_failure() -> None:
    failed = {"conditions": [condition("Ready", False, "DeleteFailed", "the bucket is not empty")]}
    hanging = thing(
        "Bucket", version="store.example.org/v1", status=failed, metadata={"deletionTimestamp": ago(hours=9)}
    )
    (found,) = assessed(hanging).findings
    assert found.code == "CUSTOM_RESOURCE_FAILED"
    assert any("being deleted for 9 hours" in evidence.text for evidence in found.evidence)
    assert [finding.code for finding in assessed(hanging, dated=False).findings] == ["CUSTOM_RESOURCE_FAILED"]


def test_every_code_of_the_folding_table_exists() -> None:
    assert set(folding()) <= set(codes())
    assert {place for places in folding().values() for place in places} == set(PLACES)


def test_pods_of_an_operator_are_one_finding_of_what_they_belong_to() -> None:
    broker = thing("Broker", version="queue.example.org/v1")
    crash = {"containerStatuses": container(8, waiting="CrashLoopBackOff")}
    (found,) = assessed(broker, pod("q-0", owner=broker, **crash), pod("q-1", owner=broker, **crash)).problems
    assert (found.subject.kind, found.subject.name, found.details["affected_total"]) == ("Broker", "shop", 2)


def test_a_look_alike_of_a_built_in_workload_is_never_the_subject_of_its_pods() -> None:
    alike = thing("StatefulSet", version="apps.example.org/v1")
    (found,) = assessed(alike, pod(owner=alike, containerStatuses=container(8, waiting="CrashLoopBackOff"))).problems
    assert found.subject.kind == "Pod"


def test_a_cause_is_as_grave_as_its_gravest_symptom() -> None:
    objects = deployment_of("shop-1", containerStatuses=container(8, waiting="CrashLoopBackOff"))
    objects[0]["status"]["conditions"] = []
    assert assessed(*objects).problems[0].severity is Severity.WARNING
    service = thing("Service", spec={"selector": {"app": "shop"}})
    assert assessed(*objects, service).problems[0].severity is Severity.CRITICAL


def test_a_reference_to_a_well_resource_explains_nothing() -> None:
    broken = {"conditions": [condition("Ready", False, "SyncFailed", "key does not exist")]}
    well = thing("Store", "vault", version="s.example.org/v1", status={"conditions": ready()})
    spec = {"storeRef": {"name": "vault"}}
    (found,) = assessed(well, thing("Secret2", version="s.example.org/v1", spec=spec, status=broken)).problems
    assert found.subject.kind == "Secret2"


def test_two_resources_that_name_each_other_leave_one_finding() -> None:
    broken = {"conditions": [condition("Ready", False, "SyncFailed", "failed")]}
    first = thing("Left", version="s.example.org/v1", spec={"rightRef": {"name": "shop"}}, status=broken)
    second = thing("Right", version="s.example.org/v1", spec={"leftRef": {"name": "shop"}}, status=broken)
    (found,) = assessed(first, second).problems
    assert found.subject.kind == "Left"


def test_hostile_references_harm_nothing() -> None:
    broken = {"conditions": [condition("Ready", False, "SyncFailed", "failed")], "Ref": {"name": 3}}
    spec: dict[str, Any] = {
        "aRef": [None, 7, {"name": ["x"]}],
        "dependsOn": [3, {"name": None}, "("],
        "Ref": "(",
        "": "x",
    }
    deep: dict[str, Any] = spec
    for _ in range(60):
        deep["nextRef"] = {"name": "shop"}
        deep = deep["nextRef"]
    found = assessed(thing("Odd", version="s.example.org/v1", spec=spec, status=broken)).problems
    assert len(found) == 1
