"""Alerts that fire now, as their sources tell them, over real sockets."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.asking import ask, crew_at, told
from tests.support.http_answers import Answers, hang, http_answers, status, value
from tools.victoriametrics.client import QUERY

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
ROUTED = "/api/v2/alerts"
RULES = "/api/v1/alerts"


@pytest.fixture
def server():
    with http_answers() as answers:
        yield answers


def routed(name: str, state: str = "active", **labels: str) -> dict[str, Any]:
    told = {"alertname": name, "severity": "warning", "namespace": "shop"} | labels
    return {
        "fingerprint": f"{name}{len(labels)}",
        "labels": told,
        "annotations": {"summary": f"{name} is not well"},
        "startsAt": (NOW - timedelta(hours=2)).isoformat(),
        "endsAt": (NOW + timedelta(minutes=5)).isoformat(),
        "updatedAt": NOW.isoformat(),
        "generatorURL": "http://rules.example/1",
        "status": {"state": state, "silencedBy": ["x"] if state == "suppressed" else [], "inhibitedBy": []},
    }


def ruled(name: str, **labels: str) -> dict[str, Any]:
    told = {"severity": "warning", "namespace": "shop"} | labels
    return {"id": "1", "name": name, "state": "firing", "labels": told, "activeAt": NOW.isoformat(), "annotations": {}}


def test_each_alert_is_told_once_with_who_is_silenced(server: Answers, tmp_path) -> None:
    loud, quiet = routed("PodRestarts", pod="cart-7f9c-x2k4q", severity="critical"), routed("DiskFull", "suppressed")
    server.by_path |= {
        ROUTED: value([loud, quiet]),
        RULES: value(
            {
                "status": "success",
                "data": {"alerts": [ruled("PodRestarts", pod="cart-7f9c-x2k4q", severity="critical")]},
            }
        ),
    }
    settings = {"alertmanager": {"url": server.url}, "vmalert": {"url": server.url}}
    with crew_at(NOW, tmp_path, **settings) as crew:
        answer = ask(crew, "which alerts fire now?")
    assert "1 alert firing now (1 critical), and 1 silenced" in told(answer)
    assert "PodRestarts on Pod shop/cart-7f9c-x2k4q: PodRestarts is not well; firing since 10:00; critical" in told(
        answer
    )
    assert "DiskFull on namespace shop: DiskFull is not well; firing since 10:00; warning; silenced" in told(answer)
    assert told(answer).count("PodRestarts on") == 1
    assert "does not say" not in told(answer)
    assert next(fact for fact in answer.facts if "PodRestarts on" in fact.text).link == "http://rules.example/1"


def test_only_alerts_about_what_was_asked_for(server: Answers, tmp_path) -> None:
    cart, web = routed("PodRestarts", pod="cart-1", cluster="prod"), routed("Slow", pod="web-1")
    server.by_path[ROUTED] = value([cart, web, routed("Slow", cluster="test")])
    clusters = [{"name": "prod"}, {"name": "test"}]
    with crew_at(NOW, tmp_path, kubernetes=clusters, alertmanager={"url": server.url}) as crew:
        assert "2 alerts about prod firing now" in told(ask(crew, "any alerts firing in prod?"))
        text = told(ask(crew, "is an alert firing for web-1?"))
    assert "1 alert firing now" in text
    assert "cart-1" not in text


def test_nothing_fires_is_a_fact_and_not_silence(server: Answers, tmp_path) -> None:
    server.by_path[ROUTED] = value([])
    with crew_at(NOW, tmp_path, alertmanager={"url": server.url}) as crew:
        assert "alertmanager: 0 alerts firing now" in told(ask(crew, "is any alert firing?"))


def test_a_source_that_is_down_is_named_and_the_other_answers(server: Answers, tmp_path) -> None:
    server.by_path |= {ROUTED: status(503), RULES: value({"status": "success", "data": {"alerts": [ruled("Slow")]}})}
    settings = {"alertmanager": {"url": server.url}, "vmalert": {"url": server.url}}
    with crew_at(NOW, tmp_path, **settings) as crew:
        answer = ask(crew, "which alerts are firing?")
    assert "vmalert: 1 alert firing now" in told(answer)
    assert "alerts of alertmanager not measured: it does not say what fires" in answer.text


@pytest.mark.usefixtures("hurried")
def test_no_source_that_answers_is_never_all_quiet(server: Answers, tmp_path) -> None:
    server.by_path[ROUTED] = hang
    with crew_at(NOW, tmp_path, alertmanager={"url": server.url}) as crew:
        answer = ask(crew, "which alerts are firing?")
    assert any(one.startswith("an alert source (no answer within") for one in answer.unavailable)
    assert "firing now" not in told(answer)
    (tmp_path / "other").mkdir()
    with crew_at(NOW, tmp_path / "other") as crew:
        assert "an alert source (not configured)" in ask(crew, "which alerts are firing?").unavailable


def test_what_fired_last_night_comes_from_the_series_that_rules_leave(server: Answers, tmp_path) -> None:
    fired = [{"metric": {"alertname": "DiskFull", "namespace": "shop", "severity": "critical"}, "value": [0, "2"]}]
    server.by_path |= {
        ROUTED: value([routed("Slow")]),
        QUERY: value({"status": "success", "data": {"resultType": "vector", "result": fired}}),
    }
    settings = {"alertmanager": {"url": server.url}, "victoriametrics": {"url": server.url}}
    with crew_at(NOW, tmp_path, **settings) as crew:
        text = told(ask(crew, "which alerts fired yesterday?"))
    assert "1 different alerts fired from 2026-10-05 00:00 to 00:00" in text
    assert "DiskFull in namespace shop fired" in text
    assert "firing now" not in text


def test_what_fired_in_another_cluster_of_the_store_is_not_ours(server: Answers, tmp_path) -> None:
    fired = [
        {"metric": {"alertname": name, "severity": "critical", **labels}, "value": [0, "2"]}
        for name, labels in (("DiskFull", {"cluster": "prod"}), ("Other", {"cluster": "stage"}), ("Anybodys", {}))
    ]
    server.by_path[QUERY] = value({"status": "success", "data": {"resultType": "vector", "result": fired}})
    cluster = {"name": "prod", "metrics_labels": {"cluster": "prod"}}
    settings = {"alertmanager": {"url": server.url}, "victoriametrics": {"url": server.url}}
    with crew_at(NOW, tmp_path, kubernetes=[cluster], **settings) as crew:
        text = told(ask(crew, "which alerts fired yesterday?"))
    assert "2 different alerts fired" in text
    assert "Other" not in text


def test_an_exporters_labels_are_no_answer_and_a_heartbeat_is_no_alert(server: Answers, tmp_path) -> None:
    exporter = {"job": "kube-state-metrics", "pod": "ksm-kube-state-metrics-1", "service": "ksm", "container": "ksm"}
    stuck = routed("RolloutStuck", deployment="web", **exporter)
    down = routed("NodeNotReady", node="n1", **exporter) | {"annotations": {"message": "n1 is gone. Look."}}
    server.by_path[ROUTED] = value([stuck, down, routed("Watchdog", severity="none")])
    with crew_at(NOW, tmp_path, alertmanager={"url": server.url}) as crew:
        text = told(ask(crew, "which alerts are firing?"))
        about = told(ask(crew, "is an alert firing for node n1?"))
    assert "2 alerts firing now" in text
    assert "RolloutStuck on Deployment shop/web: RolloutStuck is not well" in text
    assert "NodeNotReady on Node n1: n1 is gone; firing" in text
    assert "NodeNotReady on Node n1" in about
    assert "RolloutStuck on" not in about
