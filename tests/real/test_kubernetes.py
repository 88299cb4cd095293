"""A real control plane: failures made by real controllers, the shipped roles, and a watch that follows them.

Only what a kubelet would report is written by hand, as a patch of a pod's status; otherwise kwok plays the kubelet.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from crews.runtime.clusters import snapshot_of
from opscrew.clock import utc_now
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.model.finding import Finding
from tests.support.kubernetes import ControlPlane, control_plane
from tests.support.parts import need_control_plane
from tools.kubernetes.access import from_kubeconfig
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import StatusError
from tools.kubernetes.mirror import Mirror
from tools.kubernetes.records import ResourceType
from tools.kubernetes.resource_types import PODS
from tools.kubernetes.sweep import Reading, read_cluster

pytestmark = pytest.mark.real

DEPLOY = Path(__file__).parents[2] / "deploy" / "kubernetes"
SECRETS = ResourceType("", "v1", "secrets", "Secret")
DEPLOYMENTS = ResourceType("apps", "v1", "deployments", "Deployment")
PATIENCE = 90


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    need_control_plane(full=True, kwok=True)
    with ExitStack() as stack:
        running = stack.enter_context(control_plane(tmp_path_factory.mktemp("plane"), full=True, kwok=True))
        node = {"metadata": {"name": "node-1", "annotations": {"kwok.x-k8s.io/node": "fake"}}}
        room = {"cpu": "8", "memory": "16Gi", "pods": "100"}
        running.apply({"apiVersion": "v1", "kind": "Node", **node, "status": {"allocatable": room, "capacity": room}})
        yield running


@pytest.fixture(scope="module")
def widgets(plane: ControlPlane) -> None:
    """A kind of its own that the cluster serves: made once, whichever test needs it first."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.factory.example.org"},
        "spec": {
            "group": "factory.example.org",
            "scope": "Namespaced",
            "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
                }
            ],
        },
    }
    plane.apply(definition)
    until(lambda: plane.http.get("/apis/factory.example.org/v1/widgets").is_success)


@pytest.fixture
def client(plane: ControlPlane) -> Iterator[KubernetesClient]:
    with KubernetesClient(from_kubeconfig(plane.kubeconfig)) as made:
        yield made


def namespace(plane: ControlPlane, name: str) -> str:
    plane.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {"name": name}}})
    until(lambda: plane.http.get(f"/api/v1/namespaces/{name}/serviceaccounts/default").is_success)
    return name


def until(what: Callable[[], Any]) -> Any:
    ends = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < ends, "it did not come in time"
        time.sleep(0.2)
    return found


def findings(client: KubernetesClient, name: str, *, later: timedelta = timedelta(0)) -> list[Finding]:
    """Problems of one namespace, and of no namespace, as they would be told after ``later``."""
    problems = assess(snapshot_of(read_cluster(client), utc_now() + later), load_noise()).problems
    return [found for found in problems if found.details["namespace"] in (name, "")]


def find(client: KubernetesClient, name: str, code: str, *, later: timedelta = timedelta(0)) -> Finding:
    """Waits for the finding."""
    found = until(lambda: [f for f in findings(client, name, later=later) if f.code == code])
    assert len(found) == 1
    assert isinstance(found[0], Finding)
    return found[0]


def deployment(namespace: str, *, replicas: int = 1, cpu: str = "10m") -> dict[str, Any]:
    labels = {"app": "shop"}
    container = {"name": "app", "image": "shop/app:1", "resources": {"requests": {"cpu": cpu}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "shop", "namespace": namespace},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def test_a_sound_deployment_is_no_finding(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "sound")
    plane.apply(deployment(name, replicas=2))
    path = f"/apis/apps/v1/namespaces/{name}/deployments/shop"
    until(lambda: plane.http.get(path).json()["status"].get("readyReplicas") == 2)
    assert findings(client, name) == []


def test_a_quota_stops_pods(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "quota")
    quota = {"metadata": {"name": "few", "namespace": name}, "spec": {"hard": {"pods": "1"}}}
    plane.apply({"apiVersion": "v1", "kind": "ResourceQuota", **quota})
    until(lambda: plane.http.get(f"/api/v1/namespaces/{name}/resourcequotas/few").json()["status"].get("hard"))
    plane.apply(deployment(name, replicas=3))
    found = find(client, name, "QUOTA_EXCEEDED")
    assert (found.subject.kind, found.subject.name, found.reason) == ("Deployment", "shop", "FailedCreate")
    assert "few" in found.cause


def test_no_node_takes_a_pod(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "crowded")
    plane.apply(deployment(name, cpu="500"))
    found = find(client, name, "POD_UNSCHEDULABLE", later=timedelta(minutes=2))
    assert (found.subject.kind, found.reason) == ("Deployment", "Unschedulable")
    assert "Insufficient cpu" in found.cause


def test_a_storage_class_that_does_not_exist(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "storage")
    spec = {"storageClassName": "gone", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    metadata = {"name": "data", "namespace": name}
    plane.apply({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec})
    found = find(client, name, "STORAGE_CLASS_MISSING")
    assert (found.subject.kind, found.subject.name) == ("PersistentVolumeClaim", "data")


def test_a_job_past_its_deadline(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "jobs")
    pod = {
        "restartPolicy": "Never",
        "containers": [{"name": "app", "image": "x", "resources": {"requests": {"cpu": "500"}}}],
    }
    spec = {"activeDeadlineSeconds": 1, "template": {"spec": pod}}
    plane.apply(
        {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "import", "namespace": name}, "spec": spec}
    )
    found = find(client, name, "JOB_FAILED")
    assert found.reason == "DeadlineExceeded"


def test_a_budget_that_blocks_every_drain(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "budget")
    plane.apply(deployment(name))
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": "shop"}}}
    metadata = {"name": "shop", "namespace": name}
    plane.apply({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec})
    path = f"/apis/policy/v1/namespaces/{name}/poddisruptionbudgets/shop"
    until(lambda: plane.http.get(path).json().get("status", {}).get("currentHealthy") == 1)
    assert "can ever be drained" in find(client, name, "DISRUPTION_BUDGET_BLOCKS").cause


def test_a_webhook_without_anyone_behind_it_is_the_cause(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "webhook")
    hook = {
        "name": "check.example.org",
        "clientConfig": {"service": {"namespace": name, "name": "gone"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {"name": name}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
    }
    plane.apply(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "check"},
            "webhooks": [hook],
        }
    )
    try:
        plane.apply(deployment(name))
        found = until(
            lambda: [
                f for f in findings(client, name) if f.code == "WEBHOOK_UNREACHABLE" and f.details["affected_total"]
            ]
        )[0]
        assert {"kind": "Deployment", "namespace": name, "name": "shop"} in found.details["affected"]
        assert "POD_CREATION_FAILED" not in [f.code for f in findings(client, name)]
    finally:
        path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/check"
        plane.http.delete(path).raise_for_status()


def test_a_crashing_pod_and_its_deployment_are_one_finding(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "crash")
    plane.apply(deployment(name))
    pods = until(
        lambda: [
            p
            for p in plane.http.get(f"/api/v1/namespaces/{name}/pods").json()["items"]
            if p.get("status", {}).get("phase") == "Running"
        ]
    )
    path = f"/api/v1/namespaces/{name}/pods/{pods[0]['metadata']['name']}"
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}
    status = {"name": "app", "image": "x", "imageID": "", "ready": False, "restartCount": 9, "state": waiting}
    unready = [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]
    plane.patch_status(path, {"containerStatuses": [status], "conditions": unready})
    found = find(client, name, "POD_CRASH_LOOPING")
    assert (found.subject.kind, found.reason) == ("Deployment", "CrashLoopBackOff")
    later = findings(client, name, later=timedelta(hours=1))
    assert [f.code for f in later] == ["POD_CRASH_LOOPING"]
    assert later[0].details["affected"][0]["kind"] == "Pod"


def test_the_shipped_role_reads_everything_but_secrets(plane: ControlPlane, widgets: None) -> None:
    for raw in yaml.safe_load_all((DEPLOY / "reader.yaml").read_text(encoding="utf-8")):
        if raw["kind"] == "ClusterRoleBinding":
            raw["subjects"].append({"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "viewers"})
        plane.apply(raw)
    with KubernetesClient(from_kubeconfig(plane.viewer_kubeconfig)) as viewer:

        def allowed() -> Reading | None:
            try:
                reading = read_cluster(viewer)
            except StatusError:  # the aggregated role is not filled in yet
                return None
            return reading if len(reading.not_checked) == 1 else None

        reading = until(allowed)
        assert reading.not_checked == {"Widget.factory.example.org": "this account may not read it (403)"}
        with pytest.raises(StatusError) as refused:
            viewer.list_objects(SECRETS)
        assert refused.value.status == 403


def test_an_action_is_allowed_where_its_role_is_bound_and_nowhere_else(plane: ControlPlane) -> None:
    for raw in yaml.safe_load_all((DEPLOY / "actions.yaml").read_text(encoding="utf-8")):
        plane.apply(raw)
    for raw in yaml.safe_load_all((DEPLOY / "actions-in-namespace.yaml").read_text(encoding="utf-8")):
        if raw["metadata"]["labels"]["crew.io/action"] == "scale_workload":
            raw["metadata"]["namespace"] = "default"
            plane.apply(raw)

    def may(verb: str, resource: str, namespace: str, group: str = "apps", subresource: str = "") -> bool:
        asked = {"verb": verb, "resource": resource, "namespace": namespace, "group": group, "subresource": subresource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": "system:serviceaccount:crew:crew", "resourceAttributes": asked},
        }
        answer = plane.http.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review)
        return bool(answer.raise_for_status().json()["status"]["allowed"])

    until(lambda: may("patch", "deployments", "default", subresource="scale"))
    assert not may("patch", "deployments", "kube-system", subresource="scale"), "another namespace"
    assert not may("patch", "deployments", "default"), "another kind of action"
    assert not may("delete", "pods", "default", group="")
    assert not may("update", "deployments", "default", subresource="scale")


def test_a_custom_resource_is_found_by_its_condition(
    plane: ControlPlane, client: KubernetesClient, widgets: None
) -> None:
    name = namespace(plane, "custom")
    failed = [{"type": "Ready", "status": "False", "reason": "ProvisioningFailed", "message": "no disk left"}]
    widget = {"metadata": {"name": "w", "namespace": name}, "status": {"conditions": failed}}
    plane.apply({"apiVersion": "factory.example.org/v1", "kind": "Widget", **widget})
    found = find(client, name, "CUSTOM_RESOURCE_FAILED")
    assert (found.subject.kind, found.reason) == ("Widget", "ProvisioningFailed")


def test_writes_reach_exactly_the_object_that_was_meant(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "writes")
    plane.apply(deployment(name))
    scaled = client.patch(DEPLOYMENTS, name, "shop", {"spec": {"replicas": 2}}, subresource="scale")
    assert scaled.spec["replicas"] == 2
    pods = until(lambda: [p for p in client.resources(PODS, name) if p.status.get("phase") == "Running"])
    with pytest.raises(StatusError) as refused:
        client.delete(PODS, name, pods[0].name, uid="another-pod-of-that-name")
    assert refused.value.status == 409
    client.delete(PODS, name, pods[0].name, uid=pods[0].uid, grace_seconds=0)
    until(lambda: client.get(PODS, name, pods[0].name) is None)
    stale = {"metadata": {"resourceVersion": "1"}, "spec": {"paused": True}}
    with pytest.raises(StatusError) as late:
        client.patch(DEPLOYMENTS, name, "shop", stale)
    assert late.value.status == 409


def test_a_watch_follows_without_listing_again(plane: ControlPlane, client: KubernetesClient) -> None:
    name = namespace(plane, "watched")
    mirror = Mirror(client)
    mirror.start()
    assert mirror.read().not_checked == {}
    lists = mirror.lists

    def names() -> list[str]:
        return [r.name for r in mirror.read().resources if r.kind == "ConfigMap" and r.namespace == name]

    plane.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "fresh", "namespace": name}})
    until(lambda: "fresh" in names())
    plane.http.delete(f"/api/v1/namespaces/{name}/configmaps/fresh").raise_for_status()
    until(lambda: "fresh" not in names())
    assert mirror.lists == lists
    mirror.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("watch ")]
