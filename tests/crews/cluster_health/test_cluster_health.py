"""The cluster crew: keeps findings, resolves only what it could see, and stays cheap while the process lives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crews.ask.names import known_names
from crews.cluster_health import job as cluster_health
from crews.runtime import cluster_reader
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.cluster.names import known_places
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.run import RunOutcome
from opscrew.settings import KubernetesSettings, Settings
from opscrew.store.database import open_database
from tests.support.daemon import until
from tests.support.kubernetes_api import Answer, Api, hang, kubernetes_api, refuse
from tests.support.kubernetes_objects import NOW, condition, container, event, pod, ready, thing

pytestmark = pytest.mark.usefixtures("unhurried")

PODS = "/api/v1/pods"
VERSION = "/version"
BROKEN = pod(containerStatuses=container(9, waiting="CrashLoopBackOff"))


@pytest.fixture
def api() -> Iterator[Api]:
    with kubernetes_api() as running:
        running.objects[PODS] = [BROKEN]
        yield running


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'crew.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def context(api: Api, engine: Engine, tmp_path: Path) -> Iterator[CrewContext]:
    settings = Settings(kubernetes=(KubernetesSettings(name="prod", kubeconfig=api.kubeconfig(tmp_path)),))
    metrics = Metrics()
    with Systems(settings, lambda: NOW, metrics) as systems:
        yield CrewContext(settings=settings, engine=engine, clock=lambda: NOW, metrics=metrics, systems=systems)


def again(context: CrewContext) -> CrewContext:
    """The same as a new process would see it: with nothing warm."""
    systems = Systems(context.settings, context.clock, context.metrics)
    return CrewContext(
        settings=context.settings,
        engine=context.engine,
        clock=context.clock,
        metrics=context.metrics,
        systems=systems,
    )


def open_codes(engine: Engine) -> list[str]:
    return sorted(entry.finding.code for entry in Ledger(engine, lambda: NOW).open())


def test_a_finding_appears_and_is_resolved_when_the_pod_is_well(api: Api, context: CrewContext, engine: Engine) -> None:
    run = cluster_health.run(context)
    assert (run.outcome, open_codes(engine)) == (RunOutcome.OK, ["POD_CRASH_LOOPING"])
    assert "prod: 1 pods, 1 problems, 1 new" in run.summary
    api.objects[PODS] = [pod(conditions=ready())]
    cluster_health.run(again(context))
    assert open_codes(engine) == []


def test_what_could_not_be_seen_is_not_resolved(api: Api, context: CrewContext, engine: Engine) -> None:
    cluster_health.run(context)
    api.objects[PODS] = []
    api.faults["/apis/apps/v1/deployments"] = [refuse(503, "overloaded")] * 3
    run = cluster_health.run(again(context))
    assert run.outcome is RunOutcome.PARTIAL
    assert run.unavailable == ("kubernetes prod (Deployment)",)
    assert open_codes(engine) == ["POD_CRASH_LOOPING"]


def test_rights_that_are_missing_for_good_do_not_keep_findings_for_ever(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")] * 5
    cluster_health.run(context)
    api.objects[PODS] = [pod(conditions=ready())]
    run = cluster_health.run(again(context))
    assert (run.outcome, open_codes(engine)) == (RunOutcome.OK, ["NOT_MEASURED"])
    assert "1 kind not checked: Node not measured: this account may not read it (403)" in run.summary


def test_a_right_that_is_taken_away_ends_no_finding_that_rests_on_it(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    """The workload's finding was judged by its pods; without them nothing is known of it."""
    owner = thing("StatefulSet", "db", version="apps/v1", spec={"replicas": 1}, status={"readyReplicas": 1})
    api.objects |= {
        PODS: [pod("db-0", owner=owner, containerStatuses=container(9, waiting="CrashLoopBackOff"))],
        "/apis/apps/v1/statefulsets": [owner],
    }
    cluster_health.run(context)
    assert open_codes(engine) == ["POD_CRASH_LOOPING"]
    api.faults[PODS] = [refuse(403, "forbidden")] * 5
    run = cluster_health.run(again(context))
    assert "Pod not measured: this account may not read it (403)" in run.summary
    assert open_codes(engine) == ["NOT_MEASURED", "POD_CRASH_LOOPING"]
    api.faults, api.objects[PODS] = {}, [pod("db-0", owner=owner, conditions=ready())]
    cluster_health.run(again(context))
    assert open_codes(engine) == []


def test_a_kind_that_the_server_suddenly_does_not_know_ends_nothing(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    cluster_health.run(context)
    api.objects[PODS], api.faults[PODS] = [], [refuse(404, "not found")] * 5
    cluster_health.run(again(context))
    assert open_codes(engine) == ["POD_CRASH_LOOPING"]
    api.faults = {}
    cluster_health.run(again(context))
    assert open_codes(engine) == []


def test_without_events_what_was_judged_by_events_stays(api: Api, context: CrewContext, engine: Engine) -> None:
    """A check whose right to list events is missing must not be told as passed."""
    failing = pod(conditions=ready(False), containerStatuses=container())
    api.objects[PODS] = [failing]
    api.objects["/api/v1/events"] = [event(failing, "Unhealthy", "Readiness probe failed: HTTP 503")]
    cluster_health.run(context)
    assert open_codes(engine) == ["POD_PROBE_FAILING"]
    api.objects["/api/v1/events"], api.objects[PODS] = [], [pod(conditions=ready(False), containerStatuses=container())]
    api.faults["/api/v1/events"] = [refuse(403, "forbidden")] * 5
    cluster_health.run(again(context))
    assert "POD_PROBE_FAILING" in open_codes(engine)


def test_a_cluster_that_is_gone_is_a_finding_and_keeps_the_others(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    cluster_health.run(context)
    kinds = [path for _, path, _ in api.requests]
    api.faults = {path: [refuse(503, "down")] * 3 for path in kinds}
    run = cluster_health.run(again(context))
    assert run.unavailable == ("kubernetes prod",)
    assert open_codes(engine) == ["POD_CRASH_LOOPING", "SYSTEM_UNAVAILABLE"]
    cluster_health.run(again(context))
    assert open_codes(engine) == ["POD_CRASH_LOOPING"]


def test_a_process_that_stays_watches_and_lists_no_more(api: Api, context: CrewContext) -> None:
    for _ in range(5):
        cluster_health.run(context)
    # One list by the first look, one when the watch began.
    assert len(api.asked(PODS, resourceVersion="0")) == 1
    assert len(api.asked(PODS, limit="500")) == 1
    until(lambda: api.asked(PODS, watch="true"))


@pytest.mark.parametrize("fault", [refuse(503, "overloaded"), refuse(401, "Unauthorized"), hang])
def test_a_server_that_stops_answering_is_told_although_the_picture_is_warm(
    api: Api, context: CrewContext, engine: Engine, fault: Answer
) -> None:
    for _ in range(2):
        cluster_health.run(context)
    api.faults[VERSION] = [fault]
    with pytest.MonkeyPatch.context() as patch:
        if fault is hang:
            patch.setattr(cluster_reader, "_ANSWER_SECONDS", 1.0)
        run = cluster_health.run(context)
    assert run.unavailable == ("kubernetes prod",)
    assert open_codes(engine) == ["POD_CRASH_LOOPING", "SYSTEM_UNAVAILABLE"]
    assert cluster_health.run(context).outcome is RunOutcome.OK
    assert open_codes(engine) == ["POD_CRASH_LOOPING"]


def test_a_refused_version_is_a_sign_of_life(api: Api, context: CrewContext) -> None:
    api.faults[VERSION] = [refuse(403, "forbidden")] * 5
    for _ in range(3):
        assert cluster_health.run(context).outcome is RunOutcome.OK


def test_names_of_what_is_well_are_kept_for_questions(api: Api, context: CrewContext, engine: Engine) -> None:
    api.objects["/apis/apps/v1/deployments"] = [thing("Deployment", "cart", version="apps/v1", namespace="shop")]
    api.faults["/api/v1/nodes"] = [refuse(403, "forbidden")] * 5
    cluster_health.run(context)
    assert known_places(engine, "prod") == {("Deployment", "shop", "cart")}
    names = {(one.kind, one.name) for one in known_names(context) if one.system == "kubernetes"}
    assert {("cluster", "prod"), ("Deployment", "cart"), ("namespace", "shop")} <= names
    asked_before = len(api.requests)
    known_names(context)
    assert len(api.requests) == asked_before, "records know it, so the cluster is not asked"


def test_names_are_asked_for_where_no_crew_has_looked_yet(api: Api, context: CrewContext) -> None:
    api.objects["/apis/apps/v1/statefulsets"] = [thing("StatefulSet", "db", version="apps/v1", namespace="shop")]
    assert ("StatefulSet", "db") in {(one.kind, one.name) for one in known_names(context)}


def test_a_finding_that_goes_under_its_cause_is_not_called_resolved(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    node = thing("Node", "node-1", namespace="", status={"conditions": ready()})
    api.objects["/api/v1/nodes"] = [node]
    api.objects[PODS] = [pod(conditions=ready(False, reason="ContainersNotReady"))]
    cluster_health.run(context)
    assert open_codes(engine) == ["POD_NOT_READY"]
    silent = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    api.objects["/api/v1/nodes"] = [{**node, "status": {"conditions": [silent]}}]
    run = cluster_health.run(again(context))
    assert "1 new, 0 resolved" in run.summary
    assert open_codes(engine) == ["NODE_NOT_READY", "POD_NOT_READY"]
    api.objects["/api/v1/nodes"] = [node]
    run = cluster_health.run(again(context))
    assert "0 new, 1 resolved" in run.summary
    assert open_codes(engine) == ["POD_NOT_READY"]
    api.objects[PODS] = [pod(conditions=ready())]
    cluster_health.run(again(context))
    assert open_codes(engine) == []


def test_a_symptom_that_was_never_told_is_told_under_its_cause_alone(
    api: Api, context: CrewContext, engine: Engine
) -> None:
    silent = condition("Ready", "Unknown", "NodeStatusUnknown", "Kubelet stopped posting node status.")
    api.objects["/api/v1/nodes"] = [thing("Node", "node-1", namespace="", status={"conditions": [silent]})]
    api.objects[PODS] = [pod(conditions=ready(False, reason="NodeNotReady"))]
    cluster_health.run(context)
    assert open_codes(engine) == ["NODE_NOT_READY"]
