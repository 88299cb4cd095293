"""From an alert to its cause, a proposed repair, and a written incident; over a real socket to a Kubernetes API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crews.alert_triage import job as alert_triage
from crews.alert_triage.diagnostics import Case, look_at_all
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.actions.execution import Execution
from opscrew.alerts.incident_store import IncidentStore
from opscrew.alerts.looks import Look
from opscrew.alerts.store import AlertStore
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.memory.library import Library
from opscrew.metrics import Metrics
from opscrew.model.action import ActionState
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from tests.conftest import ManualClock
from tests.support.alerts import firing, resolved
from tests.support.kubernetes_api import Answer, Api, ApiHandler, kubernetes_api
from tools.errors import TemporaryError

APPS = "/apis/apps/v1/namespaces/shop"


@pytest.fixture
def api() -> Iterator[Api]:
    with kubernetes_api() as running:
        yield running


@pytest.fixture
def context(tmp_path: Path, database: Engine, clock: ManualClock, api: Api) -> Iterator[CrewContext]:
    settings = Settings(
        data_dir=tmp_path,
        kubernetes=({"name": "prod", "kubeconfig": api.kubeconfig(tmp_path)},),
        memory={"embedding": "none"},
        alerts={"maintenance": [{"name": "night", "labels": {"namespace": "staging"}}]},
    )
    metrics = Metrics()
    with Systems(settings, clock, metrics) as systems:
        yield CrewContext(settings, database, clock, metrics, systems)


def rolled_out(api: Api, at: datetime) -> None:
    """A Deployment whose second revision is from ``at``."""
    api.faults[f"{APPS}/deployments/web"] = [always({**deployment(), "status": {}})] * 50
    api.objects[f"{APPS}/replicasets"] = [
        replica_set(1, "web:1", at - timedelta(days=9)),
        replica_set(2, "web:2", at),
    ]


def deployment() -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "uid": "d1", "resourceVersion": "7", "generation": 2}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2}}


def replica_set(revision: int, image: str, at: datetime) -> dict[str, Any]:
    return {
        "metadata": {
            "name": f"web-{revision}",
            "namespace": "shop",
            "uid": f"r{revision}",
            "creationTimestamp": at.isoformat(),
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"kind": "Deployment", "name": "web", "uid": "d1"}],
        },
        "spec": {"template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"image": image}]}}},
    }


def always(value: Any) -> Answer:
    def answer(handler: ApiHandler, query: dict[str, str]) -> bool:
        handler.send_json(value)
        return True

    return answer


def open_codes(context: CrewContext) -> list[str]:
    return sorted(one.finding.code for one in Ledger(context.engine, context.clock).open())


def test_a_rollout_before_the_alert_is_the_cause_and_its_roll_back_is_proposed(
    context: CrewContext, clock: ManualClock, api: Api
) -> None:
    rolled_out(api, clock() - timedelta(minutes=4))
    crash = Subject(system="kubernetes", kind="Pod", scope="prod/shop", name="web-2-abc")
    ledger = Ledger(context.engine, clock)
    ledger.observe("cluster_health/prod", [finding("POD_CRASH_LOOPING", crash, "web exits with 1")], complete=True)
    store = AlertStore(context.engine, clock)
    told = firing(clock(), deployment="web")
    store.take([told])
    assert alert_triage.run(context).summary.startswith("1 alerts firing, 0 groups")  # it waits for more of its kind
    clock.forward(minutes=1)
    assert "1 groups looked into" in alert_triage.run(context).summary
    (group,) = store.groups()
    causes = [cause["cause"] for cause in group.triage["causes"]]
    assert causes == ["change", "POD_CRASH_LOOPING"]
    assert "victorialogs is not configured" in group.triage["not_looked_at"]["log patterns"]
    execution = Execution(context.engine, context.settings, clock, context.uptime)
    record = execution.get(group.triage["action"])
    assert (record.action.kind, record.action.parameters) == ("roll_back_workload", {"to_revision": 1})
    assert record.state is ActionState.WAITING
    (entry,) = [one for one in ledger.open() if one.finding.code == "ALERT_FIRING"]
    assert "revision 2" in entry.finding.cause
    alert_triage.run(context)
    assert len(execution.list()) == 1  # looked into once, proposed once

    clock.forward(minutes=5)
    store.take([resolved(told, clock())])
    ledger.observe("cluster_health/prod", [], complete=True)
    clock.forward(minutes=6)
    assert "1 incidents written up" in alert_triage.run(context).summary
    assert open_codes(context) == []
    (incident,) = IncidentStore(context.engine, clock).list()
    for part in ("## Timeline", "## Likely causes", "## What was done", "roll_back_workload", "revision 2"):
        assert part in incident.text
    assert (incident.outcome, incident.state) == ("open", "draft")
    document = IncidentStore(context.engine, clock).write(incident.id[:5], "ann")
    assert document in {one.id for one in Library(context.engine, clock).documents()}
    assert alert_triage.run(context).summary.endswith("0 incidents written up")


def test_an_exporters_pod_is_neither_looked_into_nor_repaired(
    context: CrewContext, clock: ManualClock, api: Api
) -> None:
    rolled_out(api, clock() - timedelta(minutes=4))
    exporter = {"job": "kube-state-metrics", "pod": "web-exporter-1", "service": "web-exporter"}
    store = AlertStore(context.engine, clock)
    store.take(
        [firing(clock(), "Mismatch", deployment="web", **exporter), firing(clock(), "Node", node="n1", **exporter)]
    )
    clock.forward(minutes=1)
    alert_triage.run(context)
    triage = {group.name: group.triage for group in store.groups()}
    assert "revision 2" in triage["Mismatch"]["causes"][0]["text"]
    assert triage["Node"]["causes"] == []
    assert "names no object of a cluster that is rolled out" in triage["Node"]["not_looked_at"]["rollouts"]
    execution = Execution(context.engine, context.settings, clock, context.uptime)
    assert [str(one.action.target) for one in execution.list()] == ["Deployment prod/shop/web"]


def test_a_change_after_the_alert_or_elsewhere_is_no_cause(context: CrewContext, clock: ManualClock, api: Api) -> None:
    rolled_out(api, clock() + timedelta(minutes=10))
    store = AlertStore(context.engine, clock)
    store.take([firing(clock(), deployment="web")])
    clock.forward(minutes=15)
    alert_triage.run(context)
    (group,) = store.groups()
    assert group.triage["causes"] == []
    assert group.triage["action"] == ""


def test_maintenance_and_silence_keep_quiet(context: CrewContext, clock: ManualClock) -> None:
    store = AlertStore(context.engine, clock)
    store.take([firing(clock(), "Expected", namespace="staging"), firing(clock(), "Known")])
    store.take([_silenced(clock())], polled=True)
    clock.forward(minutes=2)
    assert "2 groups silenced or in maintenance" in alert_triage.run(context).summary
    assert open_codes(context) == []


def test_a_repair_that_does_not_help_is_told(context: CrewContext, clock: ManualClock, api: Api) -> None:
    rolled_out(api, clock() - timedelta(minutes=4))
    store = AlertStore(context.engine, clock)
    store.take([firing(clock(), deployment="web")])
    clock.forward(minutes=1)
    alert_triage.run(context)
    execution = Execution(context.engine, context.settings, clock, context.uptime)
    (record,) = execution.list()
    finish(context, execution, record.id)
    assert alert_triage.run(context)
    assert "ALERT_REPAIR_FAILED" not in open_codes(context)
    clock.forward(minutes=16)
    alert_triage.run(context)
    assert "ALERT_REPAIR_FAILED" in open_codes(context)


def test_a_look_that_hangs_or_breaks_costs_only_itself(context: CrewContext, clock: ManualClock) -> None:
    def hangs(case: Case) -> Look:
        time.sleep(90)
        return Look()

    def breaks(case: Case) -> Look:
        raise TemporaryError("is down", system="grafana")

    def fails(case: Case) -> Look:
        raise ZeroDivisionError

    store = AlertStore(context.engine, clock)
    store.take([firing(clock())])
    case = Case(context, store.groups()[0], store.firing(), (), clock())
    began = time.monotonic()
    found = look_at_all(case, (("a", hangs, 0.3), ("b", breaks, 60), ("c", fails, 60), ("d", lambda case: Look(), 60)))
    assert time.monotonic() - began < 60, "one of them sleeps longer"
    problems = [look.problem for look in found.values()]
    assert problems == ["no answer in time", "grafana: is down", "unexpected ZeroDivisionError", ""]


def _silenced(at: datetime) -> Any:
    from dataclasses import replace

    return replace(firing(at, "Known"), silenced=True)


def finish(context: CrewContext, execution: Execution, identity: str) -> None:
    """Approves the action and lets an executor succeed, as the upkeep crew would."""
    from opscrew.actions.executor import Outcome, Receipt

    class Done:
        kind = "roll_back_workload"

        def precondition(self, action: Any) -> None:
            return None

        def send(self, action: Any) -> Receipt:
            return Receipt("1")

        def find_sent(self, action: Any, since: Any) -> None:
            return None

        def outcome(self, action: Any, receipt: Any) -> Outcome:
            return Outcome(True, "done")

    execution.approve(identity, "ann")
    execution.advance([Done()])
    execution.advance([Done()])
    assert execution.get(identity).state is ActionState.SUCCEEDED
