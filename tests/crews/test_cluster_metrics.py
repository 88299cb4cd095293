"""CPU throttling comes from the metrics store, joined with the cluster's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crews import cluster_health
from crews.context import CrewContext
from crews.systems import Systems
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.finding import Finding
from opscrew.model.run import RunOutcome
from opscrew.settings import KubernetesSettings, Settings, UrlSettings
from opscrew.store.database import open_database
from tests.support.http_answers import Answers, hang, http_answers
from tests.support.kubernetes_api import kubernetes_api
from tests.support.kubernetes_objects import NOW, pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tools.victoriametrics.client import QUERY

SETS = "/apis/apps/v1/statefulsets"
OWNER = thing("StatefulSet", "db", version="apps/v1", spec={"replicas": 1}, status={"readyReplicas": 1, "replicas": 1})


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def metrics() -> Iterator[Answers]:
    with http_answers() as running:
        throttled(running, 0.4)
        yield running


@pytest.fixture
def context(metrics: Answers, engine: Engine, tmp_path: Path) -> Iterator[CrewContext]:
    with kubernetes_api() as api:
        api.objects |= {"/api/v1/pods": [pod("db-0", owner=OWNER, conditions=ready())], SETS: [OWNER]}
        settings = Settings(
            kubernetes=(KubernetesSettings(name="prod", kubeconfig=api.kubeconfig(tmp_path)),),
            victoriametrics=UrlSettings(url=metrics.url, timeout_seconds=0.4),
        )
        counters = Metrics()
        with Systems(settings, lambda: NOW, counters) as systems:
            yield CrewContext(settings=settings, engine=engine, clock=lambda: NOW, metrics=counters, systems=systems)


def throttled(metrics: Answers, share: float, *, partial: bool = False) -> None:
    labels = {"namespace": "team", "pod": "db-0", "container": "app"}
    gone = labels | {"pod": "db-9"}
    table = MetricsTable(
        now={
            "container_cpu_cfs_throttled_periods_total": [(labels, share), (gone, 0.9)],
            "container_spec_cpu_quota": [(labels, 0.5)],
            "container_cpu_usage_seconds_total": [(labels, 0.3)],
        },
        partial=partial,
    )
    table.serve_on(metrics)


def found(engine: Engine) -> list[Finding]:
    return [entry.finding for entry in Ledger(engine, lambda: NOW).open()]


def test_a_throttled_container_is_told_with_its_workload_limit_and_use(context: CrewContext, engine: Engine) -> None:
    assert cluster_health.run(context).outcome is RunOutcome.OK
    (told,) = found(engine)
    assert (told.code, told.subject.key) == ("CONTAINER_THROTTLED", "kubernetes/StatefulSet/prod/team/db")
    assert "40 % of its periods by its CPU limit of 0.5 cores" in told.cause
    assert "mean use 0.30 cores" in told.evidence[0].text


def test_it_resolves_only_when_the_store_answered_whole(context: CrewContext, engine: Engine, metrics: Answers) -> None:
    cluster_health.run(context)
    throttled(metrics, 0.0, partial=True)
    assert cluster_health.run(context).outcome is RunOutcome.PARTIAL
    assert len(found(engine)) == 1
    throttled(metrics, 0.0)
    assert cluster_health.run(context).outcome is RunOutcome.OK
    assert found(engine) == []


def test_a_store_that_hangs_leaves_the_rest_of_the_look_alone(
    context: CrewContext, engine: Engine, metrics: Answers
) -> None:
    metrics.by_path[QUERY] = hang
    run = cluster_health.run(context)
    assert run.outcome is RunOutcome.PARTIAL
    assert "no answer within 0.4 s" in run.unavailable[0]
    assert "prod: 1 pods" in run.summary
