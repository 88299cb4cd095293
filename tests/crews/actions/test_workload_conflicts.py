"""Changes to workloads while a controller writes their status: borne; while a person changes them: refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crews.actions.restart_workload import RestartWorkload
from crews.actions.roll_back_workload import RollBackWorkload
from crews.actions.scale_workload import ScaleWorkload
from crews.actions.workloads import CONFLICTS_BORNE
from opscrew.actions.executor import Executor, SendRefusedError
from opscrew.model.action import Action
from opscrew.model.subject import Subject
from tests.support.http_answers import Answers, Handler, Request, http_answers, status, value
from tests.support.kubernetes_objects import NOW, thing
from tools.kubernetes.access import from_kubeconfig
from tools.kubernetes.client import KubernetesClient

APPS = "/apis/apps/v1/namespaces/shop"
WEB = f"{APPS}/deployments/web"
SUBJECT = Subject(system="kubernetes", kind="Deployment", scope="prod/shop", name="web")


@pytest.fixture
def api() -> Iterator[Answers]:
    with http_answers() as running:
        yield running


@pytest.fixture
def client(api: Answers, tmp_path: Path) -> Iterator[KubernetesClient]:
    config = tmp_path / "kubeconfig"
    named = {"clusters": [{"name": "t", "cluster": {"server": api.url}}], "current-context": "t"}
    config.write_text(json.dumps({**named, "contexts": [{"name": "t", "context": {"cluster": "t"}}]}))
    with KubernetesClient(from_kubeconfig(config)) as opened:
        yield opened


def action(kind: str, **parameters: Any) -> Action:
    return Action(kind=kind, target=SUBJECT, parameters=parameters, reason="a test", idempotency_key=f"{kind}/web")


def changes(client: KubernetesClient) -> list[tuple[Executor, Action]]:
    return [
        (RestartWorkload(lambda cluster: client, lambda: NOW), action("restart_workload")),
        (RollBackWorkload(lambda cluster: client), action("roll_back_workload", to_revision=1)),
        (ScaleWorkload(lambda cluster: client), action("scale_workload", replicas=4)),
    ]


def busy(api: Answers, conflicts: int, *, changed_by_a_person: bool = False) -> list[str]:
    """A Deployment whose first patches meet a newer version. Gives the list of the versions that patches named."""
    named: list[str] = []
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "web:1"}]}}

    def deployment() -> dict[str, Any]:
        generation = 1 + len(named) if changed_by_a_person else 1
        metadata = {"resourceVersion": str(70 + len(named)), "generation": generation, "uid": "u1"}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
        return thing("Deployment", "web", namespace="shop", version="apps/v1", metadata=metadata, spec=spec)

    def answer(handler: Handler, request: Request) -> None:
        if request.method == "PATCH":
            named.append(version_in(json.loads(request.body)))
            if len(named) <= conflicts:
                status(409)(handler, request)
                return
        value(deployment())(handler, request)

    owner = {"ownerReferences": [{"uid": "u1"}], "annotations": {"deployment.kubernetes.io/revision": "1"}}
    old = thing("ReplicaSet", "web-1", namespace="shop", version="apps/v1", metadata=owner, spec={"template": template})
    api.by_path |= {WEB: answer, f"{WEB}/scale": answer, f"{APPS}/replicasets": value({"items": [old]})}
    return named


def version_in(patch: Any) -> str:
    if isinstance(patch, dict):
        return str(patch["metadata"]["resourceVersion"])
    return next(str(step["value"]) for step in patch if step["path"] == "/metadata/resourceVersion")


@pytest.mark.parametrize("which", [0, 1, 2], ids=["restart", "roll back", "scale"])
def test_a_controllers_status_write_is_borne(api: Answers, client: KubernetesClient, which: int) -> None:
    named = busy(api, conflicts=2)
    executor, wanted = changes(client)[which]
    executor.send(wanted)
    assert named == ["70", "71", "72"]  # each try names the version that it has just read


@pytest.mark.parametrize("which", [0, 1, 2], ids=["restart", "roll back", "scale"])
def test_endless_conflicts_end_as_a_refusal(api: Answers, client: KubernetesClient, which: int) -> None:
    named = busy(api, conflicts=100)
    executor, wanted = changes(client)[which]
    with pytest.raises(SendRefusedError):
        executor.send(wanted)
    assert len(named) == CONFLICTS_BORNE + 1


@pytest.mark.parametrize("which", [0, 1, 2], ids=["restart", "roll back", "scale"])
def test_what_a_person_changed_meanwhile_is_left_alone(api: Answers, client: KubernetesClient, which: int) -> None:
    named = busy(api, conflicts=1, changed_by_a_person=True)
    executor, wanted = changes(client)[which]
    with pytest.raises(SendRefusedError, match="meanwhile"):
        executor.send(wanted)
    assert named == ["70"]
