"""CPU throttling comes from the metrics store, joined with the cluster's own objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crews.cluster_health import job as cluster_health
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.finding import Finding
from opscrew.model.run import RunOutcome
from opscrew.settings import KubernetesSettings, Settings, UrlSettings
from opscrew.store.database import open_database
from tests.support.http_answers import Answers, hang, http_answers, status
from tests.support.kubernetes_api import Api, kubernetes_api
from tests.support.kubernetes_objects import NOW, ago, container, pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tools.victoriametrics.client import QUERY

pytestmark = pytest.mark.usefixtures("unhurried")

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
def cluster() -> Iterator[Api]:
    with kubernetes_api() as api:
        api.objects |= {"/api/v1/pods": [pod("db-0", owner=OWNER, conditions=ready())], SETS: [OWNER]}
        yield api


@pytest.fixture
def context(
    request: pytest.FixtureRequest, cluster: Api, metrics: Answers, engine: Engine, tmp_path: Path
) -> Iterator[CrewContext]:
    """A parameter is the time limit of the metrics store's client."""
    settings = Settings(
        kubernetes=(KubernetesSettings(name="prod", kubeconfig=cluster.kubeconfig(tmp_path)),),
        victoriametrics=UrlSettings(url=metrics.url, timeout_seconds=getattr(request, "param", 60)),
    )
    counters = Metrics()
    with Systems(settings, lambda: NOW, counters) as systems:
        yield CrewContext(settings=settings, engine=engine, clock=lambda: NOW, metrics=counters, systems=systems)


LABELS = {"namespace": "team", "pod": "db-0", "container": "app"}


def throttled(metrics: Answers, share: float, *, partial: bool = False) -> None:
    labels = LABELS
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


def test_it_does_not_resolve_where_its_counters_are_gone(
    context: CrewContext, engine: Engine, metrics: Answers
) -> None:
    cluster_health.run(context)
    for absent in (MetricsTable(), MetricsTable(now={"container_memory_working_set_bytes": [(LABELS, 1.0)]})):
        absent.serve_on(metrics)
        run = cluster_health.run(context)
        assert "CPU throttling not measured: no container_cpu series of any container in the last 30m" in run.summary
        assert sorted(one.code for one in found(engine)) == ["CONTAINER_THROTTLED", "NOT_MEASURED"]


def test_it_does_not_resolve_where_the_store_refuses(context: CrewContext, engine: Engine, metrics: Answers) -> None:
    cluster_health.run(context)
    metrics.by_path[QUERY] = status(401)
    run = cluster_health.run(context)
    assert (run.outcome, "does not let us in" in run.unavailable[0]) == (RunOutcome.PARTIAL, True)
    assert "CPU throttling not measured: victoriametrics: does not let us in (401)" in run.summary
    assert sorted(one.code for one in found(engine)) == ["CONTAINER_THROTTLED", "NOT_MEASURED"]


def test_a_limit_that_was_taken_away_ends_it(context: CrewContext, engine: Engine, metrics: Answers) -> None:
    """Without a limit the kernel counts no periods; that the container's use is known shows that it is measured."""
    cluster_health.run(context)
    MetricsTable(now={"container_cpu_usage_seconds_total": [(LABELS, 0.3)]}).serve_on(metrics)
    assert cluster_health.run(context).outcome is RunOutcome.OK
    assert found(engine) == []


def test_a_container_with_a_limit_and_no_counters_is_named(
    context: CrewContext, engine: Engine, metrics: Answers, cluster: Api
) -> None:
    limited = pod("db-0", owner=OWNER, conditions=ready())
    limited["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "500m"}}
    cluster.objects["/api/v1/pods"] = [limited]
    MetricsTable(now={"container_cpu_usage_seconds_total": [(LABELS, 0.3)]}).serve_on(metrics)
    run = cluster_health.run(context)
    assert "1 of 1 workloads with a CPU limit not measured (team/db): no container_cpu_cfs_periods_total" in run.summary
    MetricsTable(now={"container_cpu_cfs_periods_total": [(LABELS, 0.0)]}).serve_on(metrics)
    assert "not measured" not in cluster_health.run(context).summary, "an idle container is measured"
    assert found(engine) == []


@pytest.mark.parametrize("context", [0.4], indirect=True)
def test_a_store_that_hangs_leaves_the_rest_of_the_look_alone(
    context: CrewContext, engine: Engine, metrics: Answers
) -> None:
    metrics.by_path[QUERY] = hang
    run = cluster_health.run(context)
    assert run.outcome is RunOutcome.PARTIAL
    assert "no answer within 0.4 s" in run.unavailable[0]
    assert "prod: 1 pods" in run.summary


def kill(objects: dict[str, list[dict[str, Any]]], *namespaces: str) -> None:
    """One pod in each namespace that was killed for its memory three hours ago and runs again."""
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(hours=3)}}
    pods = []
    for namespace in namespaces:
        hungry = pod("db-0", conditions=ready(), containerStatuses=container(1, lastState=ended, ready=True))
        hungry["metadata"] |= {"namespace": namespace, "uid": f"pod-{namespace}"}
        hungry["spec"]["containers"][0]["resources"] = {"limits": {"memory": "128Mi"}}
        pods.append(hungry)
    objects["/api/v1/pods"] = pods


def peaks(metrics: Answers, *namespaces: str) -> None:
    labels = [{"namespace": namespace, "pod": "db-0", "container": "app"} for namespace in namespaces]
    table = MetricsTable(now={"container_memory_working_set_bytes": [(one, 120 * 1024 * 1024) for one in labels]})
    table.serve_on(metrics)


def memory_lines(engine: Engine) -> list[str]:
    return [line.text for one in found(engine) for line in one.evidence if line.text.startswith("memory of app:")]


def queries_of(metrics: Answers) -> list[str]:
    asked = [request.values["query"] for request in metrics.requests]
    return [query for query in asked if "container_memory_working_set_bytes" in query]


def test_an_oom_kill_is_told_with_its_limit_and_the_peak(
    context: CrewContext, engine: Engine, metrics: Answers, cluster: Api
) -> None:
    kill(cluster.objects, "team")
    peaks(metrics, "team")
    assert cluster_health.run(context).outcome is RunOutcome.OK
    (line,) = memory_lines(engine)
    assert line.startswith("memory of app: highest reading 120 MiB, 94% of its limit of 128Mi")
    (query,) = queries_of(metrics)
    assert query.count('namespace=~"team"') == 2, "its own namespace, or the one that a scraper moved aside"


def test_kills_in_many_namespaces_are_one_question_about_the_cluster(
    context: CrewContext, engine: Engine, metrics: Answers, cluster: Api
) -> None:
    names = [f"team-{number}" for number in range(11)]
    kill(cluster.objects, *names)
    peaks(metrics, *names)
    cluster_health.run(context)
    assert len(memory_lines(engine)) == len(names)
    assert all("highest reading 120 MiB" in line for line in memory_lines(engine))
    (query,) = queries_of(metrics)
    assert f'namespace=~"{"|".join(names)}"' in query


def test_where_nothing_was_killed_nothing_is_asked(context: CrewContext, metrics: Answers) -> None:
    cluster_health.run(context)
    assert queries_of(metrics) == []


@pytest.mark.parametrize("context", [0.4], indirect=True)
def test_a_store_that_hangs_is_named_beside_the_kill(
    context: CrewContext, engine: Engine, metrics: Answers, cluster: Api
) -> None:
    kill(cluster.objects, "team")
    metrics.by_path[QUERY] = hang
    run = cluster_health.run(context)
    assert run.outcome is RunOutcome.PARTIAL
    assert run.unavailable[0].startswith("peaks of memory in prod (victoriametrics: no answer within 0.4 s")
    (line,) = memory_lines(engine)
    assert "the peak is not known: victoriametrics: no answer within 0.4 s" in line
