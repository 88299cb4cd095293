"""Restart, roll back, scale and delete against a real API server with its controllers and pretended kubelets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crews.actions.connected import connected_executors
from crews.actions.delete_stuck_pod import DeleteStuckPod
from crews.actions.restart_workload import RestartWorkload
from crews.actions.roll_back_workload import RollBackWorkload
from crews.actions.scale_workload import ScaleWorkload
from opscrew.actions.execution import Execution
from opscrew.actions.executor import SendRefusedError
from opscrew.clock import utc_now
from opscrew.model.action import Action, ActionState
from opscrew.model.subject import Subject
from tests.support.asking import ask, crew_at
from tests.support.kubernetes import ControlPlane, control_plane, missing_programs
from tools.kubernetes.access import from_kubeconfig
from tools.kubernetes.changes import WORKLOADS, revisions, roll_back, workload
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.failures import StatusError
from tools.kubernetes.resource_types import PODS

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    missing = missing_programs(full=True, kwok=True)
    if missing:
        pytest.skip(f"not built here: {', '.join(missing)}")
    with control_plane(tmp_path_factory.mktemp("plane"), full=True, kwok=True) as running:
        node: dict[str, Any] = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}
        running.apply(node)
        room = {"cpu": "64", "memory": "256Gi", "pods": "500"}
        running.patch_status("/api/v1/nodes/n1", {"allocatable": room, "capacity": room})
        yield running


@pytest.fixture(scope="module")
def client(plane: ControlPlane) -> Iterator[KubernetesClient]:
    with KubernetesClient(from_kubeconfig(plane.kubeconfig)) as opened:
        yield opened


def action(kind: str, target: str, name: str, **parameters: Any) -> Action:
    subject = Subject(system="kubernetes", kind=target, scope="test/default", name=name)
    key = f"{kind}/{name}/{sorted(parameters.items())}"
    return Action(kind=kind, target=subject, parameters=parameters, reason="a test", idempotency_key=key)


def deploy(plane: ControlPlane, kind: str, name: str, image: str = "web:1", replicas: int = 2) -> None:
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": image}]}}
    spec: dict[str, Any] = {"selector": {"matchLabels": {"app": name}}, "template": template}
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "StatefulSet":
        spec["serviceName"] = name
    plane.apply({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})


def until(check: Callable[[], Any], seconds: float = 120) -> Any:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_restart_replaces_every_pod(plane: ControlPlane, client: KubernetesClient, kind: str) -> None:
    name = f"restart-{kind.lower()}"
    deploy(plane, kind, name)
    executor = RestartWorkload(lambda cluster: client, utc_now)
    wanted = action("restart_workload", kind, name)
    until(lambda: _ready(client, kind, name))
    before = until(lambda: _pods(client, name))
    assert executor.precondition(wanted) is None
    assert executor.find_sent(wanted, LONG_AGO) is None
    receipt = executor.send(wanted)
    assert executor.find_sent(wanted, LONG_AGO) is not None
    outcome = until(lambda: executor.outcome(wanted, receipt))
    assert outcome.succeeded
    assert not until(lambda: _pods(client, name)) & before


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_roll_back_brings_back_what_was(plane: ControlPlane, client: KubernetesClient, kind: str) -> None:
    name = f"back-{kind.lower()}"
    deploy(plane, kind, name)
    until(lambda: _ready(client, kind, name))
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:broken"}]}}}}
    client.patch(WORKLOADS[kind], "default", name, change)
    history = until(lambda: _history(client, kind, name, 2))
    executor = RollBackWorkload(lambda cluster: client)
    assert "already" in (executor.precondition(_back(kind, name, history[0].number)) or "")
    assert "no longer" in (executor.precondition(_back(kind, name, 77)) or "")
    wanted = _back(kind, name, history[1].number)
    assert executor.precondition(wanted) is None
    receipt = executor.send(wanted)
    assert executor.find_sent(wanted, LONG_AGO) is not None
    assert until(lambda: executor.outcome(wanted, receipt)).succeeded
    found = workload(client, kind, "default", name)
    assert found is not None
    assert found.spec["template"]["spec"]["containers"][0]["image"] == "web:1"
    assert len(revisions(client, found)) == 2  # the old revision was found again, and no third one was made


def test_a_roll_back_that_comes_second_is_told_so(plane: ControlPlane, client: KubernetesClient) -> None:
    deploy(plane, "Deployment", "second")
    until(lambda: _ready(client, "Deployment", "second"))
    read = workload(client, "Deployment", "default", "second")
    assert read is not None
    change = {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "web:2"}]}}}}
    client.patch(WORKLOADS["Deployment"], "default", "second", change)
    with pytest.raises(StatusError) as refused:
        roll_back(client, read, revisions(client, read)[-1], "a mark")
    assert refused.value.status == 409


def test_a_wish_of_a_person_is_proposed_approved_sent_and_verified(
    plane: ControlPlane, client: KubernetesClient, tmp_path: Path
) -> None:
    deploy(plane, "Deployment", "wished")
    until(lambda: _ready(client, "Deployment", "wished"))
    before = until(lambda: _pods(client, "wished"))
    cluster = {"name": "test", "kubeconfig": plane.kubeconfig}
    with crew_at(utc_now(), tmp_path, kubernetes=[cluster], policy={"restart_workload": {"*": "approve"}}) as crew:
        (record,) = ask(crew, "restart wished in default").actions
        execution = Execution(crew.engine, crew.settings, crew.clock, crew.uptime)
        execution.approve(record.id, "ada")

        def ended() -> bool:
            execution.advance(connected_executors(crew))
            return execution.get(record.id).state.final

        until(ended)
        assert execution.get(record.id).state is ActionState.SUCCEEDED
    assert not _pods(client, "wished") & before


def test_scaling_leaves_autoscalers_alone(plane: ControlPlane, client: KubernetesClient) -> None:
    deploy(plane, "Deployment", "scale")
    executor = ScaleWorkload(lambda cluster: client)
    wanted = action("scale_workload", "Deployment", "scale", replicas=4)
    assert executor.precondition(wanted) is None
    assert executor.find_sent(wanted, LONG_AGO) is None
    receipt = executor.send(wanted)
    assert executor.find_sent(wanted, LONG_AGO) is not None
    assert until(lambda: executor.outcome(wanted, receipt)).succeeded
    scaler = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "scale"}, "maxReplicas": 9}
    plane.apply(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "h", "namespace": "default"},
            "spec": scaler,
        }
    )
    again = action("scale_workload", "Deployment", "scale", replicas=6)
    assert "autoscaler" in (executor.precondition(again) or "")


def test_only_the_very_pod_that_hangs_is_deleted(plane: ControlPlane, client: KubernetesClient) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "stuck", "namespace": "default"},
        # On a node that nobody plays: nobody ends it there.
        "spec": {"nodeName": "gone", "containers": [{"name": "c", "image": "x"}], "terminationGracePeriodSeconds": 1},
    }
    plane.apply(pod)
    found = client.get(PODS, "default", "stuck")
    assert found is not None
    later = DeleteStuckPod(lambda cluster: client, lambda: utc_now() + timedelta(minutes=10))
    wanted = action("delete_stuck_pod", "Pod", "stuck", uid=found.uid)
    assert "not terminating" in (later.precondition(wanted) or "")
    client.delete(PODS, "default", "stuck", uid=found.uid)
    if client.get(PODS, "default", "stuck") is not None:
        assert "long enough" in (DeleteStuckPod(lambda cluster: client, utc_now).precondition(wanted) or "")
        assert later.precondition(wanted) is None
    other = action("delete_stuck_pod", "Pod", "stuck", uid="another")
    assert "gone already" in (later.precondition(other) or "")
    with pytest.raises(SendRefusedError):
        later.send(other)
    assert later.find_sent(wanted, LONG_AGO) is None
    receipt = later.send(wanted)
    assert until(lambda: later.outcome(wanted, receipt)).succeeded
    assert later.find_sent(wanted, LONG_AGO) is not None


def test_what_is_not_there_is_refused(client: KubernetesClient, tmp_path: Path) -> None:
    del tmp_path
    executor = RestartWorkload(lambda cluster: client, utc_now)
    assert "does not exist" in (executor.precondition(action("restart_workload", "Deployment", "nobody")) or "")
    with pytest.raises(SendRefusedError):
        executor.send(action("restart_workload", "Deployment", "nobody"))


def _back(kind: str, name: str, number: int) -> Action:
    return action("roll_back_workload", kind, name, to_revision=number)


def _pods(client: KubernetesClient, name: str) -> set[str]:
    pods = [pod for pod in client.resources(PODS, "default") if pod.labels.get("app") == name]
    return {pod.uid for pod in pods if pod.deleting_since is None and pod.status.get("phase") == "Running"}


def _ready(client: KubernetesClient, kind: str, name: str) -> bool:
    return bool(_pods(client, name))


def _history(client: KubernetesClient, kind: str, name: str, least: int) -> Any:
    found = workload(client, kind, "default", name)
    assert found is not None
    known = revisions(client, found)
    return known if len(known) >= least else None
