"""From bodies to what people read: storms, heartbeats, tests, and clusters that nobody knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opscrew.alerts.incident_store import IncidentStore
from tests.support.alert_cases import Receiver, findings, receiver

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Receiver]:
    with receiver(tmp_path, NOW) as made:
        yield made


def body(crew: Receiver, *labels: dict[str, str], status: str = "firing", **more: Any) -> bytes:
    now = crew.clock().isoformat()
    alerts = [{"status": status, "labels": one, "startsAt": now, "endsAt": now} | more for one in labels]
    return json.dumps({"alerts": alerts}).encode()


def test_a_storm_is_one_notice_until_it_ends_and_names_its_gravest(crew: Receiver) -> None:
    storm = [
        {"alertname": f"Rule{number}", "namespace": f"ns{number}", "pod": "a", "node": "n7"} for number in range(40)
    ]
    gravest = {"alertname": "NodeDown", "node": "n7", "severity": "critical"}
    crew.post("alertmanager", body(crew, *storm, gravest))
    for minutes in (1, 4, 30, 120):
        read = crew.look(minutes=minutes)
        (told,) = findings(read, "ALERT_STORM")
        assert "The gravest: NodeDown (critical: Node n7)" in told.cause
        assert findings(read) == []
    triaged = [one for one in crew.store().groups() if one.triaged_at]
    assert "NodeDown" in {one.name for one in triaged}
    assert len(triaged) == 5
    crew.post("alertmanager", body(crew, {"alertname": "Later", "severity": "critical", "host": "db1"}))
    assert [one.reason for one in findings(crew.look())] == ["Later"]
    crew.post("alertmanager", body(crew, *storm[5:], status="resolved"))
    read = crew.look()
    assert findings(read, "ALERT_STORM") == []
    assert len(findings(read)) == 7, "what is left is told by itself"


def test_a_test_is_told_as_one_and_goes_by_itself(crew: Receiver) -> None:
    crew.post("grafana", body(crew, {"alertname": "TestAlert", "instance": "Grafana"}))
    (told,) = findings(crew.look())
    assert told.severity.value == "info"
    assert findings(crew.look(minutes=12)) == []
    crew.look(minutes=10)
    assert IncidentStore(crew.context.engine, crew.clock).list() == ()


def test_a_heartbeat_and_a_helper_are_not_told_and_silence_is(crew: Receiver) -> None:
    labels = {"alertname": "Watchdog", "severity": "none"}
    crew.post("alertmanager", body(crew, labels, {"alertname": "InfoInhibitor", "severity": "none"}))
    read = crew.look()
    assert read.findings == ()
    crew.post("alertmanager", body(crew, labels, status="resolved"))
    (told,) = findings(crew.look(), "ALERT_HEARTBEAT_MISSING")
    assert told.severity.value == "critical"
    assert IncidentStore(crew.context.engine, crew.clock).list() == ()


def test_faults_of_queries_are_one_group_by_data_source(crew: Receiver) -> None:
    faults = [
        {
            "alertname": "DatasourceError",
            "rulename": f"rule {name}",
            "datasource_uid": "prom",
            "namespace": name,
        }
        for name in "abc"
    ]
    crew.post("grafana", body(crew, *faults, annotations={"summary": "5xx responses", "Error": "connection refused"}))
    (told,) = findings(crew.look())
    assert "DatasourceError of data source prom: 3 alerts firing" in told.cause
    assert "the query of rule rule a fails: connection refused" in told.cause
    assert "5xx" not in told.cause


def test_an_unknown_severity_is_named(crew: Receiver) -> None:
    crew.post("alertmanager", body(crew, {"alertname": "A", "severity": "page-the-boss", "host": "db1"}))
    (told,) = findings(crew.look())
    assert told.severity.value == "warning"
    assert "the severity page-the-boss is not known and counts as a warning" in told.cause


def test_a_draft_names_every_object(crew: Receiver) -> None:
    hosts = [{"alertname": "Down", "host": f"db{number}"} for number in range(30)]
    crew.post("alertmanager", body(crew, *hosts))
    crew.look()
    crew.post("alertmanager", body(crew, *hosts, status="resolved"))
    crew.look()
    crew.look(minutes=10)
    (incident,) = IncidentStore(crew.context.engine, crew.clock).list()
    assert all(f"- host db{number}\n" in incident.text + "\n" for number in range(30))


def test_what_a_sender_left_out_of_a_mixed_delivery_is_nobodys_count(crew: Receiver) -> None:
    alerts = json.loads(body(crew, {"alertname": "A", "host": "a"}, {"alertname": "B", "host": "b"}))
    crew.post("alertmanager", json.dumps(alerts | {"truncatedAlerts": 7}).encode())
    told = {one.reason: one.cause for one in findings(crew.look())}
    assert "1 alert firing; the sender left out 7 further ones of its delivery; host a" in told["A"]
    crew.post("alertmanager", body(crew, {"alertname": "A", "host": "a"}))
    assert all("left out" not in one.cause for one in findings(crew.look()) if one.reason == "A")


def test_a_query_that_fails_blames_no_rollout(crew: Receiver) -> None:
    fault = {"alertname": "DatasourceError", "rulename": "r", "namespace": "shop", "deployment": "web", "cluster": "x"}
    crew.post("grafana", body(crew, fault))
    (told,) = findings(crew.look())
    assert "cluster x" not in told.cause
    assert "Likeliest cause" not in told.cause


def test_an_end_because_the_series_is_gone_is_no_proof(crew: Receiver) -> None:
    host = {"alertname": "Full", "host": "db1"}
    crew.post("grafana", body(crew, host))
    crew.look()
    crew.post("grafana", body(crew, host, status="resolved", annotations={"grafana_state_reason": "MissingSeries"}))
    assert findings(crew.look()) == []
    crew.look(minutes=10)
    (incident,) = IncidentStore(crew.context.engine, crew.clock).list()
    assert "Full ended (host db1), not because it was well: Grafana says MissingSeries" in incident.text


def test_what_was_not_looked_at_is_said(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("{}", encoding="utf-8")
    clusters = [{"name": name, "kubeconfig": config} for name in ("prod", "test")]
    with receiver(tmp_path, NOW, kubernetes=clusters) as crew:
        named = {"alertname": "A", "namespace": "shop", "deployment": "web", "cluster": "other"}
        crew.post("alertmanager", body(crew, named, {"alertname": "B", "namespace": "shop", "deployment": "web"}))
        told = {one.reason: one for one in findings(crew.look())}
        groups = {one.name: one for one in crew.store().groups()}
    assert "the cluster other is none of ours (prod, test)" in told["A"].cause
    assert "names no cluster, and there are several" in told["B"].cause
    for name in ("A", "B"):
        assert "rollouts" not in groups[name].triage["looked_at"]
        assert any("not looked at: rollouts" in line.text for line in told[name].evidence)
