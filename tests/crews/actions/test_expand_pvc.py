"""Enlarging a claim: one guarded patch, found again after a crash, and done only when the file system has grown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from crews.actions.connected import connected_executors
from crews.actions.expand_pvc import MARK, ExpandPvc
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.actions.executor import Receipt, SendRefusedError
from opscrew.actions.records import id_of
from opscrew.metrics import Metrics
from opscrew.model.action import Action
from opscrew.settings import KubernetesSettings, Settings, UrlSettings
from opscrew.storage.volume import GIB
from tests.support.http_answers import Answers, Handler, Request, http_answers, status, value
from tests.support.kubernetes_objects import NOW, thing
from tests.support.metrics_answers import MetricsTable
from tests.support.volumes import claim as volume_claim
from tools.errors import PermanentError, TemporaryError

CLAIM = "/api/v1/namespaces/shop/persistentvolumeclaims/data-db-0"
CLASS = "/apis/storage.k8s.io/v1/storageclasses/fast"
ACTION = Action(
    kind="expand_pvc",
    target=volume_claim().subject,
    parameters={"from_gib": 100, "to_gib": 150},
    reason="it fills",
    idempotency_key="expand_pvc/x/100",
)
RECEIPT = Receipt("PersistentVolumeClaim-data-db-0")


def claim(requested: str = "100Gi", capacity: str = "100Gi", mark: str = "", **fields: Any) -> dict[str, Any]:
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": requested}}}
    made_status = {"phase": "Bound", "capacity": {"storage": capacity}} | fields
    metadata = {"resourceVersion": "7", "annotations": {MARK: mark} if mark else {}}
    return thing(
        "PersistentVolumeClaim", "data-db-0", namespace="shop", metadata=metadata, spec=spec, status=made_status
    )


@pytest.fixture
def api() -> Iterator[Answers]:
    with http_answers() as running:
        allowed = {"allowVolumeExpansion": True, "provisioner": "ebs.csi.aws.com"}
        running.by_path |= {
            CLAIM: value(claim()),
            CLASS: value(thing("StorageClass", "fast", version="storage.k8s.io/v1", **allowed)),
        }
        yield running


@pytest.fixture
def metrics() -> Iterator[Answers]:
    with http_answers() as running:
        measured(running, 100)
        yield running


def measured(metrics: Answers, gib: float | None) -> None:
    labels = {"namespace": "shop", "persistentvolumeclaim": "data-db-0"}
    rows = [] if gib is None else [(labels, gib * GIB)]
    free = [(labels, size / 2) for labels, size in rows]
    table = {"kubelet_volume_stats_capacity_bytes": rows, "kubelet_volume_stats_available_bytes": free}
    MetricsTable(now=table).serve_on(metrics)


@pytest.fixture
def systems(api: Answers, metrics: Answers, tmp_path: Path) -> Iterator[Systems]:
    config = tmp_path / "kubeconfig"
    named = {"clusters": [{"name": "t", "cluster": {"server": api.url}}], "current-context": "t"}
    config.write_text(json.dumps({**named, "contexts": [{"name": "t", "context": {"cluster": "t"}}]}))
    settings = Settings(
        kubernetes=(KubernetesSettings(name="prod", kubeconfig=config),),
        victoriametrics=UrlSettings(url=metrics.url, timeout_seconds=60),
    )
    with Systems(settings, lambda: NOW, Metrics()) as made:
        yield made


@pytest.fixture
def executor(systems: Systems) -> ExpandPvc:
    return ExpandPvc(systems)


def test_it_is_connected_where_a_cluster_is(systems: Systems) -> None:
    context = CrewContext(systems.settings, create_engine("sqlite://"), systems.clock, Metrics(), systems)
    assert "expand_pvc" in [one.kind for one in connected_executors(context)]


def test_the_claim_is_looked_at_again_before_sending(executor: ExpandPvc, api: Answers) -> None:
    assert executor.precondition(ACTION) is None
    for present, words in (
        (value(claim("120Gi", "120Gi")), "changed meanwhile"),
        (value(claim("150Gi", "100Gi")), "under way"),
        (status(404), "the claim is gone"),
    ):
        api.by_path[CLAIM] = present
        assert words in (executor.precondition(ACTION) or "")
    api.by_path |= {CLAIM: value(claim()), CLASS: status(404)}
    assert "does not allow" in (executor.precondition(ACTION) or "")


def test_one_patch_is_sent_that_a_faster_person_makes_fail(executor: ExpandPvc, api: Answers) -> None:
    receipt = executor.send(ACTION)
    (patch,) = [request for request in api.requests if request.method == "PATCH"]
    assert json.loads(patch.body) == {
        "metadata": {"resourceVersion": "7", "annotations": {MARK: id_of(ACTION.idempotency_key)}},
        "spec": {"resources": {"requests": {"storage": "150Gi"}}},
    }
    assert receipt == Receipt("PersistentVolumeClaim-data-db-0", "", "data-db-0 asks for 150 GiB")


@pytest.mark.parametrize(
    ("code", "kind"), [(403, SendRefusedError), (422, SendRefusedError), (409, TemporaryError), (500, TemporaryError)]
)
def test_a_refused_patch(executor: ExpandPvc, api: Answers, code: int, kind: type[Exception]) -> None:
    def answer(handler: Handler, request: Request) -> None:
        (status(code) if request.method == "PATCH" else value(claim()))(handler, request)

    api.by_path[CLAIM] = answer
    with pytest.raises(kind):
        executor.send(ACTION)
    assert [request.method for request in api.requests].count("PATCH") == 1


def test_a_patch_whose_answer_was_lost_is_found_by_its_mark(executor: ExpandPvc, api: Answers) -> None:
    assert executor.find_sent(ACTION, NOW) is None
    api.by_path[CLAIM] = value(claim("150Gi", mark="of another action"))
    assert executor.find_sent(ACTION, NOW) is None
    api.by_path[CLAIM] = value(claim("150Gi", mark=id_of(ACTION.idempotency_key)))
    assert executor.find_sent(ACTION, NOW) is not None


def test_it_is_done_when_the_file_system_has_grown(executor: ExpandPvc, api: Answers, metrics: Answers) -> None:
    api.by_path[CLAIM] = value(claim("150Gi", "100Gi"))
    assert executor.outcome(ACTION, RECEIPT) is None
    api.by_path[CLAIM] = value(claim("150Gi", "150Gi"))
    assert executor.outcome(ACTION, RECEIPT) is None  # the claim has it, the file system does not
    measured(metrics, 147)
    outcome = executor.outcome(ACTION, RECEIPT)
    assert outcome is not None
    assert (outcome.succeeded, outcome.text) == (True, "the file system has 147.0 GiB now")
    measured(metrics, None)
    assert executor.outcome(ACTION, RECEIPT) is None  # it was measured before, so the figures will come back


def test_without_a_metrics_store_the_kubelets_word_counts_and_that_is_said(systems: Systems, api: Answers) -> None:
    settings = systems.settings.model_copy(update={"victoriametrics": None})
    with Systems(settings, lambda: NOW, Metrics()) as unmeasured:
        api.by_path[CLAIM] = value(claim("150Gi", "100Gi"))
        assert ExpandPvc(unmeasured).outcome(ACTION, RECEIPT) is None
        api.by_path[CLAIM] = value(claim("150Gi", "150Gi"))
        outcome = ExpandPvc(unmeasured).outcome(ACTION, RECEIPT)
    assert outcome is not None
    assert outcome.succeeded
    assert "nothing measures" in outcome.text


@pytest.mark.parametrize(
    ("present", "words"),
    [
        (status(404), "deleted"),
        (value(claim() | {"metadata": {"name": "data-db-0", "namespace": "shop", "uid": "another"}}), "deleted"),
        (value(claim("150Gi", allocatedResourceStatuses={"storage": "ControllerResizeInfeasible"})), "Infeasible"),
        (
            value(claim("150Gi", conditions=[{"type": "NodeResizeError", "status": "True", "message": "no xfs"}])),
            "no xfs",
        ),
    ],
)
def test_what_fails_is_told(executor: ExpandPvc, api: Answers, present: Any, words: str) -> None:
    api.by_path[CLAIM] = present
    outcome = executor.outcome(ACTION, RECEIPT)
    assert outcome is not None
    assert (outcome.succeeded, words in outcome.text) == (False, True)


def test_a_cluster_that_is_no_longer_configured(executor: ExpandPvc) -> None:
    elsewhere = ACTION.model_copy(update={"target": volume_claim(cluster="gone").subject})
    with pytest.raises(PermanentError, match="gone is not configured"):
        executor.precondition(elsewhere)
