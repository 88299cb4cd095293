"""The storage crew: findings with advice, proposals, and what happens when figures are missing, partial or late."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from crews.storage_growth import job as storage_growth
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.action import ActionState
from opscrew.model.finding import Severity
from opscrew.model.run import RunOutcome
from opscrew.settings import KubernetesSettings, Settings, UrlSettings
from opscrew.settings_stores import StoreOfCluster
from opscrew.storage.volume import GIB
from opscrew.store.database import open_database
from tests.support.http_answers import Answers, hang, http_answers, status, text
from tests.support.kubernetes_api import Api, kubernetes_api
from tests.support.kubernetes_objects import NOW, ago, container, pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tests.support.volumes import growing
from tools.victoriametrics.client import QUERY, QUERY_RANGE

CLAIMS, CLASSES, PODS = (
    "/api/v1/persistentvolumeclaims",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/api/v1/pods",
)
SETS = "/apis/apps/v1/statefulsets"
LABELS = {"namespace": "team", "persistentvolumeclaim": "data"}
FILLING = growing(90, 1)


def claim(**status: Any) -> dict[str, Any]:
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "100Gi"}}}
    status = {"phase": "Bound", "capacity": {"storage": "100Gi"}} | status
    return thing(
        "PersistentVolumeClaim", "data", metadata={"creationTimestamp": ago(days=200)}, spec=spec, status=status
    )


def storage_class(**fields: Any) -> dict[str, Any]:
    made = {"provisioner": "ebs.csi.aws.com", "allowVolumeExpansion": True, "parameters": {"type": "gp3"}} | fields
    return thing("StorageClass", "fast", version="storage.k8s.io/v1", namespace="", **made)


OWNER = thing("StatefulSet", "db", version="apps/v1", spec={"replicas": 1}, status={"readyReplicas": 1})


def mounting_pod() -> dict[str, Any]:
    made = pod("db-0", owner=OWNER, conditions=ready())
    made["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    return made


def table(days: list[float], size: float = 100) -> MetricsTable:
    used = days[-1] * GIB
    return MetricsTable(
        now={
            "kubelet_volume_stats_used_bytes": [(LABELS, used)],
            "kubelet_volume_stats_capacity_bytes": [(LABELS, size * GIB)],
            "kubelet_volume_stats_available_bytes": [(LABELS, size * GIB - used)],
            "kubelet_volume_stats_inodes": [(LABELS, 1000)],
            "kubelet_volume_stats_inodes_used": [(LABELS, 100)],
        },
        past={"kubelet_volume_stats_used_bytes": [(LABELS, [day * GIB for day in days])]},
    )


@dataclass
class World:
    api: Api
    metrics: Answers
    context: CrewContext
    engine: Engine

    def open(self) -> dict[str, Any]:
        return {entry.finding.code: entry.finding for entry in Ledger(self.engine, lambda: NOW).open()}

    def actions(self) -> list[ActionRecord]:
        context = self.context
        return list(Execution(context.engine, context.settings, context.clock, context.uptime).list())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    with kubernetes_api() as api, http_answers() as metrics:
        api.objects |= {CLAIMS: [claim()], CLASSES: [storage_class()], PODS: [mounting_pod()], SETS: [OWNER]}
        table(FILLING).serve_on(metrics)
        settings = Settings(
            kubernetes=(KubernetesSettings(name="prod", kubeconfig=api.kubeconfig(tmp_path)),),
            victoriametrics=UrlSettings(url=metrics.url, timeout_seconds=60),
            policy={"expand_pvc": "approve"},
            data_dir=tmp_path,
        )
        counters = Metrics()
        with Systems(settings, lambda: NOW, counters) as systems:
            context = CrewContext(
                settings=settings, engine=engine, clock=lambda: NOW, metrics=counters, systems=systems
            )
            yield World(api, metrics, context, engine)
    engine.dispose()


def impatient(context: CrewContext) -> CrewContext:
    """The same with a short time limit, for a store that hangs."""
    assert context.settings.victoriametrics is not None
    store = context.settings.victoriametrics.model_copy(update={"timeout_seconds": 0.5})
    settings = context.settings.model_copy(update={"victoriametrics": store})
    return replace(context, settings=settings, systems=Systems(settings, context.clock, context.metrics))


def test_a_burst_of_hours_is_seen_whatever_is_free(world: World) -> None:
    quiet, burst = [12.0 + 0.1 * (n % 3) for n in range(300)], [12 + 1.2 * n for n in range(1, 35)]
    made = table([*[12.2] * 40, 24.0, 52.8])
    made.hours = {"kubelet_volume_stats_used_bytes": [(LABELS, [one * GIB for one in (*quiet, *burst)])]}
    made.serve_on(world.metrics)
    storage_growth.run(world.context)
    found = world.open()["VOLUME_FILLING"]
    assert found.severity == Severity.CRITICAL
    assert 1 <= found.details["days_to_full"][1] <= 2.6


def test_an_import_that_has_ended_is_no_race(world: World) -> None:
    made = table([*[12.2] * 40, 60.0])
    hours = [*[12.2 + 0.1 * (n % 3) for n in range(310)], 30.0, 50.0, *[60 + 0.1 * (n % 3) for n in range(22)]]
    made.hours = {"kubelet_volume_stats_used_bytes": [(LABELS, [one * GIB for one in hours])]}
    made.serve_on(world.metrics)
    storage_growth.run(world.context)
    assert "VOLUME_FILLING" not in world.open()


def test_a_filling_volume_is_a_finding_with_advice_and_a_proposal(world: World) -> None:
    run = storage_growth.run(world.context)
    assert (run.outcome, run.unavailable) == (RunOutcome.OK, ())
    assert run.summary == "prod: 1 volumes, 1 fill up, 1 new, 1 enlargements proposed"
    told = world.open()["VOLUME_FILLING"]
    assert told.subject.key == "kubernetes/PersistentVolumeClaim/prod/team/data"
    assert told.details["advice"] == "expand"
    assert told.details["workload"] == "StatefulSet/db"
    assert "USD more a month" in told.next_step
    (record,) = world.actions()
    assert (record.state, record.action.finding) == (ActionState.WAITING, told.fingerprint)
    assert record.action.parameters["from_gib"] == 100
    again = storage_growth.run(world.context)
    assert again.summary == "prod: 1 volumes, 1 fill up, 0 new"
    assert len(world.actions()) == 1


def test_a_volume_that_was_cleaned_up_resolves(world: World) -> None:
    storage_growth.run(world.context)
    table([*FILLING, 20.0]).serve_on(world.metrics)
    storage_growth.run(world.context)
    assert world.open() == {}


def test_a_missing_metric_is_told_and_resolves_nothing_else(world: World) -> None:
    storage_growth.run(world.context)
    MetricsTable().serve_on(world.metrics)
    storage_growth.run(world.context)
    assert "VOLUME_METRICS_MISSING" in world.open()
    table(FILLING).serve_on(world.metrics)
    storage_growth.run(world.context)
    assert set(world.open()) == {"VOLUME_FILLING"}


def test_a_store_that_hangs_or_talks_nonsense_keeps_what_is_known(world: World) -> None:
    storage_growth.run(world.context)
    for answer in (hang, text("<html>")):
        world.metrics.by_path[QUERY] = answer
        run = storage_growth.run(impatient(world.context) if answer is hang else world.context)
        assert (run.outcome, run.unavailable) == (RunOutcome.PARTIAL, ("storage of prod",))
        assert set(world.open()) == {"VOLUME_FILLING", "SYSTEM_UNAVAILABLE"}
    table(FILLING).serve_on(world.metrics)
    storage_growth.run(world.context)
    assert set(world.open()) == {"VOLUME_FILLING"}


def test_a_partial_answer_resolves_nothing(world: World) -> None:
    storage_growth.run(world.context)
    partial = MetricsTable(partial=True)
    partial.serve_on(world.metrics)
    run = storage_growth.run(world.context)
    assert run.outcome is RunOutcome.PARTIAL
    assert "volumes partly measured: the metrics store answered in part" in run.summary
    assert set(world.open()) == {"VOLUME_FILLING"}


def claims(world: World, *names: str, mounted: bool = True) -> None:
    """Claims of these names, all mounted by one pod that crashes and starts again."""
    owner = mounting_pod()
    owner["status"]["containerStatuses"] = container(9, waiting="CrashLoopBackOff")
    volumes = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
    owner["spec"]["volumes"] = volumes if mounted else []
    made = [{**claim(), "metadata": {**claim()["metadata"], "name": name, "uid": name}} for name in names]
    world.api.objects |= {CLAIMS: made, PODS: [owner]}


def test_a_volume_that_is_no_longer_reported_is_not_taken_for_well(world: World) -> None:
    storage_growth.run(world.context)
    claims(world, "data", "other")
    reported(world, "other")
    run = storage_growth.run(world.context)
    assert run.summary == (
        "prod: 1 volumes, 0 fill up, 0 new; 1 of 2 mounted volumes not measured (team/data): "
        "no kubelet_volume_stats figures of the last 15m"
    )
    assert set(world.open()) == {"VOLUME_FILLING", "VOLUME_METRICS_MISSING"}


def test_a_volume_whose_pod_fails_before_it_begins_is_mounted_and_not_measured(world: World) -> None:
    storage_growth.run(world.context)
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
    failing = mounting_pod()
    failing["status"] |= {
        "phase": "Pending",
        "initContainerStatuses": [{"name": "own", "state": waiting, "lastState": ended, "restartCount": 7}],
    }
    world.api.objects[PODS] = [failing]
    MetricsTable().serve_on(world.metrics)
    run = storage_growth.run(world.context)
    assert "1 of 1 mounted volumes not measured (team/data)" in run.summary
    assert set(world.open()) == {"VOLUME_FILLING", "VOLUME_METRICS_MISSING"}


def test_one_measured_volume_does_not_speak_for_nine_others(world: World) -> None:
    claims(world, *(f"d{number}" for number in range(10)))
    reported(world, "d0")
    run = storage_growth.run(world.context)
    assert "9 of 10 mounted volumes not measured (team/d1, team/d2, team/d3 and 6 more)" in run.summary
    told = world.open()["VOLUME_METRICS_MISSING"]
    assert (told.severity, "9 of 10 mounted volumes" in told.cause) == (Severity.WARNING, True)


def test_a_few_volumes_without_figures_are_worth_knowing_and_no_problem(world: World) -> None:
    claims(world, "data", "share")
    reported(world, "data")
    storage_growth.run(world.context)
    assert world.open()["VOLUME_METRICS_MISSING"].severity is Severity.INFO


def test_a_volume_that_nobody_mounts_keeps_its_finding_and_is_no_gap(world: World) -> None:
    storage_growth.run(world.context)
    claims(world, "data", mounted=False)
    MetricsTable().serve_on(world.metrics)
    run = storage_growth.run(world.context)
    assert run.summary == "prod: 0 volumes, 0 fill up, 0 new"
    assert set(world.open()) == {"VOLUME_FILLING"}


def test_a_claim_that_was_deleted_is_over(world: World) -> None:
    storage_growth.run(world.context)
    world.api.objects[CLAIMS] = []
    MetricsTable().serve_on(world.metrics)
    storage_growth.run(world.context)
    assert world.open() == {}


def test_a_missing_metric_is_not_over_because_the_store_is_silent(world: World) -> None:
    MetricsTable().serve_on(world.metrics)
    storage_growth.run(world.context)
    for answer in (status(401), MetricsTable(partial=True)):
        if isinstance(answer, MetricsTable):
            answer.serve_on(world.metrics)
        else:
            world.metrics.by_path[QUERY] = answer
        storage_growth.run(world.context)
        assert "VOLUME_METRICS_MISSING" in world.open()


def reported(world: World, name: str) -> None:
    """The store knows of one volume alone, a fifth full."""
    served = table([20.0] * 60)
    labels = {**LABELS, "persistentvolumeclaim": name}
    MetricsTable(
        now={metric: [(labels, value) for _, value in rows] for metric, rows in served.now.items()},
        past={metric: [(labels, values) for _, values in rows] for metric, rows in served.past.items()},
    ).serve_on(world.metrics)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({CLASSES: [storage_class(allowVolumeExpansion=False)]}, "migrate"),
        ({CLASSES: []}, "migrate"),
        ({CLAIMS: [claim(conditions=[{"type": "Resizing", "status": "True", "message": "at work"}])]}, "leave"),
    ],
)
def test_what_the_cluster_says_shapes_the_advice(world: World, change: dict, advice: str) -> None:
    world.api.objects |= change
    storage_growth.run(world.context)
    assert world.open()["VOLUME_FILLING"].details["advice"] == advice
    assert world.actions() == []


def test_two_clusters_in_one_store_need_labels(world: World, tmp_path: Path) -> None:
    parts = tuple(
        KubernetesSettings(name=name, kubeconfig=world.api.kubeconfig(tmp_path), metrics_labels=labels)
        for name, labels in (("prod", {"cluster": "prod"}), ("test", {}))
    )
    settings = world.context.settings.model_copy(update={"kubernetes": parts})
    with Systems(settings, lambda: NOW, world.context.metrics) as systems:
        run = storage_growth.run(
            CrewContext(
                settings=settings,
                engine=world.engine,
                clock=lambda: NOW,
                metrics=world.context.metrics,
                systems=systems,
            )
        )
    assert run.unavailable == ("storage of test",)
    assert all('cluster="prod"' in request.values["query"] for request in world.metrics.requests)
    assert "metrics_labels of test" in world.open()["SYSTEM_UNAVAILABLE"].next_step


def test_a_cluster_with_a_store_of_its_own_needs_no_labels(world: World, tmp_path: Path) -> None:
    with http_answers() as own:
        answer = own.by_path
        table(FILLING).serve_on(own)
        own.by_path = {f"/select/12/prometheus{path}": found for path, found in answer.items()}
        config = world.api.kubeconfig(tmp_path)
        store = StoreOfCluster(url=own.url, tenant="12")
        parts = (
            KubernetesSettings(name="prod", kubeconfig=config),
            KubernetesSettings(name="test", kubeconfig=config, victoriametrics=store),
        )
        settings = world.context.settings.model_copy(update={"kubernetes": parts})
        with Systems(settings, lambda: NOW, world.context.metrics) as systems:
            run = storage_growth.run(replace(world.context, settings=settings, systems=systems))
    assert run.outcome is RunOutcome.OK, run.unavailable
    assert run.summary.count("1 volumes, 1 fill up") == 2
    assert {request.path.removeprefix("/select/12/prometheus") for request in own.requests} == {QUERY, QUERY_RANGE}
