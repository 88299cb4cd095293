"""Wishes about workloads and volumes: the one that is named and there, or a question back; never a guess."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crews import known_names
from crews.answers import Answer
from crews.ask import Question, answer_question
from crews.context import CrewContext
from crews.wishes import objects
from opscrew.memory.conversations import Conversations
from tests.support.asking import crew_at
from tests.support.http_answers import Answers, hang, http_answers, status, value
from tests.support.kubernetes_objects import NOW, thing

pytestmark = pytest.mark.usefixtures("unhurried")
APPS = "/apis/apps/v1"


def workload(kind: str, name: str, namespace: str, **spec: Any) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "c", "image": f"{name}:1"}]}}
    spec = {"replicas": 2, "template": template} | spec
    return thing(kind, name, version="apps/v1", namespace=namespace, metadata={"uid": f"{namespace}-{name}"}, spec=spec)


def revision(owner: dict[str, Any], number: int) -> dict[str, Any]:
    """A ReplicaSet of a Deployment."""
    metadata = {
        "annotations": {"deployment.kubernetes.io/revision": str(number)},
        "ownerReferences": [
            {"kind": "Deployment", "name": "cart", "uid": owner["metadata"]["uid"], "controller": True}
        ],
    }
    spec = {"template": {"spec": {"containers": [{"name": "c", "image": f"cart:{number}"}]}}}
    return thing("ReplicaSet", f"cart-{number}", version="apps/v1", namespace="shop", metadata=metadata, spec=spec)


def claim(name: str, namespace: str, size: str = "10Gi", storage_class: str = "fast") -> dict[str, Any]:
    spec = {"resources": {"requests": {"storage": size}}, "storageClassName": storage_class}
    return thing("PersistentVolumeClaim", name, namespace=namespace, spec=spec, status={"phase": "Bound"})


CART = workload("Deployment", "cart", "shop")
PLURALS = {"Deployment": "deployments", "StatefulSet": "statefulsets", "DaemonSet": "daemonsets"}
WORKLOADS = (
    CART,
    workload("Deployment", "payments", "shop"),
    workload("Deployment", "web", "shop"),
    workload("Deployment", "web", "stage"),
    workload("Deployment", "asleep", "shop", replicas=0),
    workload("StatefulSet", "search-db", "shop"),
    workload("DaemonSet", "ci-cache", "shop", replicas=None),
)
CLAIMS = (claim("data-db-0", "shop"), claim("logs", "shop"), claim("logs", "stage"))


def listed(objects_of_it: list[dict[str, Any]]) -> Any:
    return value({"kind": "List", "metadata": {"resourceVersion": "7"}, "items": objects_of_it})


@pytest.fixture
def api() -> Iterator[Answers]:
    """A healthy cluster with a few workloads and claims."""
    with http_answers() as running:
        paths = running.by_path
        for kind, plural in PLURALS.items():
            there = [one for one in WORKLOADS if one["kind"] == kind]
            paths[f"{APPS}/{plural}"] = listed(there)
            for one in there:
                place = one["metadata"]
                paths[f"{APPS}/namespaces/{place['namespace']}/{plural}/{place['name']}"] = value(one)
        paths[f"{APPS}/namespaces/shop/replicasets"] = listed([revision(CART, 3), revision(CART, 4)])
        paths[f"{APPS}/namespaces/stage/replicasets"] = listed([])
        paths["/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers"] = listed([])
        paths["/api/v1/persistentvolumeclaims"] = listed(list(CLAIMS))
        for one in CLAIMS:
            place = one["metadata"]
            paths[f"/api/v1/namespaces/{place['namespace']}/persistentvolumeclaims/{place['name']}"] = value(one)
        fast = {"kind": "StorageClass", "metadata": {"name": "fast"}, "allowVolumeExpansion": True}
        paths["/apis/storage.k8s.io/v1/storageclasses/fast"] = value(fast)
        yield running


@pytest.fixture
def crew(api: Answers, tmp_path: Path) -> Iterator[CrewContext]:
    config = tmp_path / "kubeconfig"
    named = {"clusters": [{"name": "t", "cluster": {"server": api.url}}], "current-context": "t"}
    config.write_text(json.dumps({**named, "contexts": [{"name": "t", "context": {"cluster": "t"}}]}))
    with crew_at(NOW, tmp_path, kubernetes=[{"name": "prod", "kubeconfig": config}]) as made:
        yield made


def wish(crew: CrewContext, text: str, before: Answer | None = None) -> Answer:
    said = Conversations(crew.engine, crew.clock).get(before.conversation) if before else None
    return answer_question(crew, Question(text, said, "ada"))


@pytest.mark.parametrize(
    ("text", "kind", "target", "parameters"),
    [
        ("restart cart", "restart_workload", "Deployment prod/shop/cart", {}),
        ("please restart the deployment payments", "restart_workload", "Deployment prod/shop/payments", {}),
        ("bounce search db", "restart_workload", "StatefulSet prod/shop/search-db", {}),
        ("restart ci-cache", "restart_workload", "DaemonSet prod/shop/ci-cache", {}),
        ("restart web in stage", "restart_workload", "Deployment prod/stage/web", {}),
        ("scale cart to 5", "scale_workload", "Deployment prod/shop/cart", {"replicas": 5}),
        ("scale the web deployment in shop to 3 pods", "scale_workload", "Deployment prod/shop/web", {"replicas": 3}),
        ("roll back cart", "roll_back_workload", "Deployment prod/shop/cart", {"to_revision": 3}),
        ("roll cart back to revision 3", "roll_back_workload", "Deployment prod/shop/cart", {"to_revision": 3}),
        ("expand data-db-0 to 50 GiB", "expand_pvc", "PersistentVolumeClaim prod/shop/data-db-0",
         {"from_gib": 10, "to_gib": 50}),
        ("enlarge the volume logs in stage to 1Ti", "expand_pvc", "PersistentVolumeClaim prod/stage/logs",
         {"from_gib": 10, "to_gib": 1024}),
    ],
)  # fmt: skip
def test_a_healthy_object_is_found_where_it_is(
    crew: CrewContext, text: str, kind: str, target: str, parameters: dict[str, int]
) -> None:
    answer = wish(crew, text)
    (record,) = answer.actions
    found = record.action
    assert (found.kind, f"{found.target.kind} {found.target.scope}/{found.target.name}") == (kind, target)
    assert found.parameters == parameters
    assert record.state == "waiting"
    assert f"crew actions approve {record.id}" in answer.text
    assert "know nothing named" not in answer.text
    for number in parameters.values():
        assert str(number) in answer.text or number == 10
    assert wish(crew, text).actions[0].id == record.id, "asked again within the hour is the same wish"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("restart web", "several are named so: Deployment prod/shop/web, Deployment prod/stage/web"),
        ("restart crat", "name a workload"),
        ("restart cart in zorbax", "name a workload"),
        ("restart cart in stage", "name a workload"),
        ("restart the shipping deployment", "name a workload"),
        ("restart asleep", "scaled to zero"),
        ("scale cart", "say to how many replicas"),
        ("scale cart to 90", "at most 50"),
        ("scale cart to 0", "at least 1"),
        ("scale ci-cache to 3", "not on DaemonSet"),
        ("roll back web in stage", "remembers no earlier revision of web"),
        ("roll back cart to revision 99", "no longer remembers revision 99"),
        ("expand data-db-0", "say to which size"),
        ("expand data-db-0 to 5 GiB", "a volume can only grow"),
        ("expand logs to 50 GiB", "several are named so"),
        ("expand the volume nothing-0 to 50 GiB", "name a volume claim"),
        ("restart #42", "Bitbucket is not configured"),
    ],
)
def test_what_is_not_clear_or_not_possible_is_said_and_not_proposed(crew: CrewContext, text: str, said: str) -> None:
    answer = wish(crew, text)
    assert said in " ".join(answer.text.split())
    assert not [one for one in answer.actions if one.state != "refused"]


def test_a_correction_says_where_and_which(crew: CrewContext) -> None:
    unclear = wish(crew, "restart web")
    (record,) = wish(crew, "in stage", unclear).actions
    assert (record.action.kind, record.action.target.scope) == ("restart_workload", "prod/stage")
    other = wish(crew, "no, the one in shop", unclear)
    assert [one.action.target.scope for one in other.actions] == ["prod/shop"]


@pytest.mark.parametrize("other", ["restart shipping", "scale the billing deployment to 9", "roll back zorbax in shop"])
def test_another_thing_that_is_not_known_is_not_the_one_that_was_talked_about(crew: CrewContext, other: str) -> None:
    first = wish(crew, "is cart healthy?")
    (record,) = wish(crew, "scale it to 5", first).actions
    assert record.action.target.name == "cart"
    assert wish(crew, other, first).actions == ()


def test_what_waits_already_is_named_again_and_not_proposed_twice(crew: CrewContext) -> None:
    first = wish(crew, "restart cart")
    again = wish(crew, "do it", first)
    assert [one.id for one in again.actions] == [one.id for one in first.actions]
    assert "crew actions approve" in again.text


def test_several_that_wait_are_listed_for_a_bare_do_it(crew: CrewContext) -> None:
    wish(crew, "restart cart")
    wish(crew, "restart payments")
    answer = wish(crew, "do it")
    assert "several wait for approval" in answer.text
    assert answer.actions == ()


def test_a_cluster_that_refuses_or_hangs_is_named_and_nothing_is_proposed(
    api: Answers, crew: CrewContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.by_path[f"{APPS}/statefulsets"] = status(403, "forbidden")
    answer = wish(crew, "restart cart")
    assert answer.actions == ()
    assert "Nothing is proposed: " in answer.text
    assert "403" in answer.text
    monkeypatch.setattr(objects, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(known_names, "ASK_SECONDS", 1.0)
    api.by_path[f"{APPS}/statefulsets"] = hang
    assert "the cluster prod does not answer" in wish(crew, "restart cart").text


def test_without_a_cluster_it_is_said(tmp_path: Path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        assert "no cluster is configured" in wish(crew, "scale cart to 3").text
        assert "no cluster is configured" in wish(crew, "expand data-db-0 to 50 GiB").text
        assert "Alertmanager is not configured" in wish(crew, "silence DiskFull").text
