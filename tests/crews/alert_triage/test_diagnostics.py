"""What triage looks at, over real HTTP: what each look brings, and what it says when its system is ill."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crews.alert_triage.diagnostics import LOOKS, Case, look_at_all
from crews.runtime.context import CrewContext
from opscrew.alerts.looks import Look
from opscrew.alerts.store import AlertStore
from opscrew.clock import Clock
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.memory.documents import Document
from opscrew.memory.library import Library
from opscrew.model.subject import Subject
from tests.support.alerts import firing
from tests.support.asking import crew_at
from tests.support.http_answers import Answers, Handler, Request, cut, hang, http_answers, status, text, value
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch
from tools.grafana.client import ANNOTATIONS
from tools.victorialogs.client import PATH
from tools.victoriametrics.client import QUERY
from tools.victoriametrics.vmalert import RULES

NOW = datetime(2026, 10, 6, 12, 30, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=10)
WEB = Subject(system="kubernetes", kind="Deployment", scope="prod/shop", name="web")
RULE = {"name": "PodsRestart", "type": "alerting", "query": "restarts > 3", "state": "firing", "health": "ok"}
LIMITS = [("info", 1), ("warning", 3), ("critical", 9), ("page", 20)]
BY_HTTP = ("victoriametrics", "vmalert", "victorialogs", "grafana")
FIELDS = '{"name":"kubernetes.pod_namespace","hits":"9"}\n{"name":"kubernetes.pod_name","hits":"9"}'
OF_SYSTEM = {"the alert's own query": RULES, "log patterns": PATH, "deployments marked in Grafana": ANNOTATIONS}


@pytest.fixture
def server() -> Iterator[Answers]:
    with http_answers() as running:
        yield running


@pytest.fixture
def context(request: pytest.FixtureRequest, tmp_path: Path, server: Answers) -> Iterator[CrewContext]:
    """Every monitoring system at one address: their paths differ. A parameter is the time limit of their clients."""
    part = {"url": server.url, "timeout_seconds": getattr(request, "param", 60)}
    with crew_at(NOW, tmp_path, **dict.fromkeys(BY_HTTP, part)) as made:
        yield made


def case_of(context: CrewContext, clock: Clock | None = None, affected: tuple[Subject, ...] = (WEB,)) -> Case:
    store = AlertStore(context.engine, clock or context.clock)
    store.take([firing(BEGAN, deployment="web")])
    return Case(context, store.groups()[0], store.firing(), affected, BEGAN)


def look(name: str, case: Case) -> Look:
    """By itself, and without the limit of a look: what is tried here is what it brings."""
    return look_at_all(case, [(one, function, 120) for one, function, _ in LOOKS if one == name])[name]


def told(found: Look) -> list[str]:
    return [line.text for line in found.evidence]


def test_the_rules_own_expression_now_and_an_hour_before(context: CrewContext, server: Answers) -> None:
    server.by_path[RULES] = value({"status": "success", "data": {"groups": [{"name": "pods", "rules": [RULE]}]}})

    def instant(handler: Handler, request: Request) -> None:
        early = float(request.values["time"]) < BEGAN.timestamp()
        series = {"metric": {"namespace": "shop"}, "value": [float(request.values["time"]), "1" if early else "7"]}
        value({"status": "success", "data": {"resultType": "vector", "result": [series]}})(handler, request)

    server.by_path[QUERY] = instant
    found = look("the alert's own query", case_of(context))
    assert told(found) == ["now 7, an hour before 1"]
    assert found.evidence[0].source == "victoriametrics restarts > 3"


def test_of_two_rules_of_one_name_the_one_with_the_alerts_labels_is_asked(
    context: CrewContext, server: Answers
) -> None:
    rules = [RULE | {"query": f"restarts > {most}", "labels": {"severity": word}} for word, most in LIMITS]
    server.by_path[RULES] = value({"status": "success", "data": {"groups": [{"name": "pods", "rules": rules}]}})
    server.by_path[QUERY] = value({"status": "success", "data": {"resultType": "vector", "result": []}})
    store = AlertStore(context.engine, context.clock)
    store.take([firing(BEGAN, deployment="web", severity="critical")])
    (line,) = look("the alert's own query", Case(context, store.groups()[0], store.firing(), (WEB,), BEGAN)).evidence
    assert line.source == "victoriametrics restarts > 9"


def test_a_rule_that_vmalert_does_not_have(context: CrewContext, server: Answers) -> None:
    server.by_path[RULES] = value({"status": "success", "data": {"groups": []}})
    assert look("the alert's own query", case_of(context)).problem == "vmalert has no rule PodsRestart"


def test_lines_that_are_new_in_the_log(context: CrewContext, server: Answers) -> None:
    def patterns(handler: Handler, request: Request) -> None:
        if "| field_names" in request.values["query"]:
            text(FIELDS)(handler, request)
            return
        early = datetime.fromisoformat(request.values["start"]) < BEGAN - timedelta(minutes=30)
        rows = [("cannot reach the till", 2 if early else 40), ("slow answer", 50)]
        body = "\n".join(json.dumps({"_msg": message, "hits": str(count)}) for message, count in rows)
        text(body)(handler, request)

    server.by_path[PATH] = patterns
    found = look("log patterns", case_of(context))
    assert told(found) == ["40 lines, 2 in the hour before: cannot reach the till"]
    assert [(clue.cause, clue.subject) for clue in found.clues] == [("logs", WEB)]


def test_a_log_store_without_a_line_of_it_was_not_looked_at(context: CrewContext, server: Answers) -> None:
    def nothing_of_it(handler: Handler, request: Request) -> None:
        text(FIELDS if "| field_names" in request.values["query"] else "")(handler, request)

    server.by_path[PATH] = nothing_of_it
    assert look("log patterns", case_of(context)).problem == "the log store has no line of Deployment web in shop"
    server.by_path[PATH] = text('{"name":"host","hits":"9"}')
    assert "no field of the log lines tells the namespace" in look("log patterns", case_of(context)).problem


def test_an_alert_of_yesterday_is_compared_over_equal_times(context: CrewContext, server: Answers) -> None:
    asked: list[timedelta] = []

    def patterns(handler: Handler, request: Request) -> None:
        if "| field_names" in request.values["query"]:
            text(FIELDS)(handler, request)
            return
        if "| stats" in request.values["query"]:
            text('{"hits":"7"}')(handler, request)
            return
        asked.append(datetime.fromisoformat(request.values["end"]) - datetime.fromisoformat(request.values["start"]))
        text("")(handler, request)

    server.by_path[PATH] = patterns
    case = case_of(context)
    look("log patterns", replace(case, began_at=BEGAN - timedelta(days=1)))
    assert [round(one.total_seconds()) for one in asked] == [3600, 3600]  # an end is given as the last microsecond


def test_a_mark_in_grafana_shortly_before_is_a_change(context: CrewContext, server: Answers) -> None:
    at = BEGAN - timedelta(minutes=3)
    mark = {"id": 5, "time": int(at.timestamp() * 1000), "text": "web v1.2", "tags": ["deployment"]}
    server.by_path[ANNOTATIONS] = value([mark])
    (clue,) = look("deployments marked in Grafana", case_of(context)).clues
    assert (clue.cause, clue.text, clue.began_at) == ("change", "Deployment marked in Grafana: web v1.2", at)


@pytest.mark.parametrize("name", list(OF_SYSTEM))
@pytest.mark.parametrize(
    ("context", "answer", "words"),
    [
        (1, hang, "no answer within 1 s"),
        (60, status(503, "busy"), "503"),
        (60, cut, ""),
        (60, text("<html>"), "HTML page"),
    ],
    indirect=["context"],
)
def test_a_system_that_is_ill_is_named(
    context: CrewContext, server: Answers, name: str, answer: Any, words: str
) -> None:
    server.by_path[OF_SYSTEM[name]] = answer
    found = look(name, case_of(context))
    assert found.problem
    assert words in found.problem
    assert (found.clues, found.evidence) == ((), ())


def test_open_findings_of_what_is_affected_and_not_of_others(context: CrewContext) -> None:
    ledger = Ledger(context.engine, context.clock)
    elsewhere = Subject(system="kubernetes", kind="Pod", scope="prod/other", name="api")
    ledger.observe(
        "cluster_health/prod",
        [finding("POD_CRASH_LOOPING", one, "it exits with 1") for one in (WEB, elsewhere)],
        complete=True,
    )
    assert [clue.subject for clue in look("open findings", case_of(context)).clues] == [WEB]


def test_past_incidents_and_the_rules_runbook(context: CrewContext) -> None:
    words = "PodsRestart in shop: the pods of web restart because the till is gone"
    Library(context.engine, context.clock).put(Document("incident/1", "PodsRestart in shop", words, kind="incident"))
    annotated = replace(firing(BEGAN, pod="web-1"), annotations={"runbook_url": "https://wiki.example/restarts"})
    AlertStore(context.engine, context.clock).take([annotated])
    found = told(look("past incidents and runbook", case_of(context)))
    assert any("the till is gone" in line for line in found)
    with_url = case_of(context)
    only = [one for one in with_url.alerts if one.annotations]
    assert "runbook https://wiki.example/restarts" in told(
        look("past incidents and runbook", replace(with_url, alerts=only))
    )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path, memory={"embedding": "none"}) as running:
        running.world.add_repository("web")
        running.world.add_repository("other")
        yield running


def test_a_deployment_shortly_before_is_a_change_and_pipelines_are_told(watch: BitbucketWatch) -> None:
    watch.clock.forward(seconds=(BEGAN - watch.clock()).total_seconds() - 600)
    watch.world.push("web", "before_deploy_flaky")
    watch.world.push("other", "failing")
    watch.clock.forward(minutes=9)
    run = watch.world.start("web", watch.world.repositories["web"].runs[0].target)
    watch.clock.forward(minutes=11)
    found = look("pipelines and deployments", case_of(watch.context, watch.clock))
    (clue,) = found.clues
    assert clue.cause == "change"
    assert "web was deployed to Staging" in clue.text
    assert any(f"web #{run.number} on main: SUCCESSFUL" in line for line in told(found))
    assert not any("other" in line for line in told(found))


@pytest.mark.parametrize("with_status", [True, False])
@pytest.mark.parametrize(
    ("fate", "words"),
    [
        ("deploy_flaky", "web tried to deploy, and failed, to Production"),
        ("deploy_stopped", "web tried to deploy, and was stopped, to Production"),
        ("before_deploy_flaky", ""),
    ],
)
def test_a_deployment_that_did_not_end_well_is_told_and_is_no_cause(
    watch: BitbucketWatch, fate: str, words: str, with_status: bool
) -> None:
    if not with_status:  # as recorded: then the step tells how it ended
        watch.world.reshape = lambda entry: (
            entry | {"state": {k: v for k, v in entry["state"].items() if k != "status"}}
            if entry["type"] == "deployment"
            else entry
        )
    watch.clock.forward(seconds=(BEGAN - watch.clock()).total_seconds() - 600)
    watch.world.push("web", fate)
    watch.clock.forward(minutes=20)
    found = look("pipelines and deployments", case_of(watch.context, watch.clock))
    assert found.clues == ()
    lines = [line for line in told(found) if "deploy" in line.split(": ", 1)[-1]]
    assert len(lines) == (1 if words else 0), lines
    assert words in "".join(lines)


def test_a_deployment_under_way_is_a_change(watch: BitbucketWatch) -> None:
    watch.clock.forward(seconds=(BEGAN - watch.clock()).total_seconds())
    watch.world.push("web", "deploy_flaky")
    watch.clock.forward(seconds=80)
    (clue,) = look("pipelines and deployments", case_of(watch.context, watch.clock)).clues
    assert "web is being deployed to Production" in clue.text


def test_a_successful_deployment_without_a_status_is_asked_for(watch: BitbucketWatch) -> None:
    watch.world.reshape = lambda entry: (
        entry | {"state": {k: v for k, v in entry["state"].items() if k != "status"}}
        if entry["type"] == "deployment"
        else entry
    )
    watch.clock.forward(seconds=(BEGAN - watch.clock()).total_seconds() - 600)
    run = watch.world.push("web", "deploy_flaky")
    watch.clock.forward(minutes=4)
    watch.world.start("web", run.target)
    watch.clock.forward(minutes=16)
    (clue,) = look("pipelines and deployments", case_of(watch.context, watch.clock)).clues
    assert "web was deployed to Production" in clue.text


def test_a_repository_that_is_refused_hides_nothing_of_the_others(watch: BitbucketWatch) -> None:
    watch.world.add_repository("web-api")
    watch.clock.forward(seconds=(BEGAN - watch.clock()).total_seconds())
    watch.world.push("web", "deploy_flaky")
    watch.clock.forward(seconds=80)
    watch.world.faults.add("refused", path="/acme/web-api/", status=403, words="No access", times=-1)
    api = WEB.model_copy(update={"name": "web-api"})
    found = look("pipelines and deployments", case_of(watch.context, watch.clock, (WEB, api)))
    assert [clue.text.partition(" (")[0] for clue in found.clues] == ["web is being deployed to Production"]
    assert any("web-api: bitbucket: 403 Forbidden: No access" in line for line in told(found))


def test_bitbucket_that_is_down_is_named(watch: BitbucketWatch) -> None:
    watch.world.faults.add("error", times=-1)
    assert "bitbucket" in look("pipelines and deployments", case_of(watch.context, watch.clock)).problem
