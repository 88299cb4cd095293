"""The one sentence that people read, and severities, as rules in the world write them."""

from __future__ import annotations

import pytest

from opscrew.alerts.kinds import AlertKind, kind_of, query_sentence
from opscrew.alerts.rules import alert_rules
from opscrew.alerts.sentences import sentence_of
from opscrew.model.finding import Severity

FAILED = (
    "<error expanding template: error executing template __alert_high_load: template: __alert_high_load:1:54:\n"
    'executing "__alert_high_load" at <.instance>: can\'t evaluate field instance. In type struct { Value float64 }>'
)


@pytest.mark.parametrize(
    ("annotations", "sentence"),
    [
        ({"summary": "Web is down", "description": "d"}, "Web is down"),
        ({"description": "Web is down. It has been so for 5 minutes."}, "Web is down."),
        ({"message": "Job a failed"}, "Job a failed"),
        ({"title": "High load", "runbook_url": "https://runbooks.example.org/high load"}, "High load"),
        ({"Summary": "Web is down"}, "Web is down"),
        ({"summary": "Load on <no value>", "description": "Load is high"}, "Load is high"),
        ({"summary": FAILED, "description": FAILED}, ""),
        ({"summary": f"Load is high. Now: {FAILED}"}, "Load is high."),
        ({"summary": "5xx on [no value]", "description": "{{ $labels.route }} returned 5xx"}, ""),
        ({"summary": "Value is %!f(<nil>)", "message": "Disk is %!d(string=x) full"}, ""),
        ({"summary": "Disk at 100%!"}, "Disk at 100%!"),
        (
            {"summary": "https://rules.example.org/alerts", "description": "Page faults are many"},
            "Page faults are many",
        ),
        ({"summary": "", "hint": "how to mend it", "link": "https://x.example.org"}, "how to mend it"),
        ({"summary": "hive-02 is unready on cluster ."}, "hive-02 is unready on cluster."),
        ({"__dashboardUid__": "a b c"}, ""),
        ({}, ""),
    ],
)
def test_the_first_good_sentence(annotations: dict[str, str], sentence: str) -> None:
    assert sentence_of(annotations) == sentence


@pytest.mark.parametrize(
    "word", ["crit", "Critical", "SEV0", "sev-1", "SEV 1", "s1", "P0", "p1", "urgent", "page", "1"]
)
def test_words_for_critical(word: str) -> None:
    assert alert_rules().severity_of({"severity": word}) is Severity.CRITICAL


def test_other_words_of_severity() -> None:
    rules = alert_rules()
    assert rules.severity_of({"severity": "page-the-boss", "priority": "P1"}) is Severity.CRITICAL
    assert rules.severity_of({"level": "2"}) is Severity.WARNING
    assert rules.severity_of({"Severity": "none"}) is Severity.INFO
    assert rules.severity_of({"severity": "non-critical"}) is Severity.WARNING
    assert rules.unknown_severity({"severity": "page-the-boss"}) == "page-the-boss"
    for known in ({"severity": "major"}, {}, {"severity": "x", "priority": "P1"}, {"severity": "<no value>"}):
        assert rules.unknown_severity(known) == ""


@pytest.mark.parametrize(
    ("labels", "url", "kind"),
    [
        ({"alertname": "Watchdog", "severity": "none"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "DeadMansSwitch", "severity": "critical"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "DeadMan'sSnitch"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "Prometheus Dead Man Switch", "severity": "info"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "PrometheusAlertmanagerE2eDeadManSwitch", "severity": "critical"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "AlwaysFiring"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "Heartbeat"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "Heartbeat", "severity": "critical"}, "", AlertKind.USUAL),
        ({"alertname": "Alive", "severity": "none", "namespace": "monitoring"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "CPUThrottlingHigh", "severity": "none", "pod": "web-1"}, "", AlertKind.USUAL),
        ({"alertname": "MonitoringPing", "severity": "none"}, "", AlertKind.HEARTBEAT),
        ({"alertname": "Own"}, "http://prometheus:9090/graph?g0.expr=vector%281%29&g0.tab=1", AlertKind.HEARTBEAT),
        ({"alertname": "Own"}, "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0", AlertKind.USUAL),
        ({"alertname": "KafkaHeartbeatMissing", "severity": "warning"}, "", AlertKind.USUAL),
        ({"alertname": "WatchdogTimeout", "severity": "critical"}, "", AlertKind.USUAL),
        ({"alertname": "InfoInhibitor", "severity": "none"}, "", AlertKind.UNTOLD),
        ({"alertname": "TestAlert", "instance": "Grafana"}, "", AlertKind.TEST),
        ({"alertname": "DatasourceError", "rulename": "5xx", "severity": "page"}, "", AlertKind.QUERY),
        ({"alertname": "DatasourceError", "severity": "page"}, "", AlertKind.USUAL),
    ],
)
def test_what_kind_of_alert_it_is(labels: dict[str, str], url: str, kind: AlertKind) -> None:
    assert kind_of(labels, {}, url) is kind


def test_a_query_that_fails_is_told_with_its_error_and_not_with_the_rules_claim() -> None:
    labels = {"alertname": "DatasourceError", "rulename": "Orders 5xx", "datasource_uid": "prometheus"}
    chain = (
        'failed to execute query [A]: Post "http://prometheus:9090/api/v1/query": ' + "x" * 200 + ": connection refused"
    )
    told = query_sentence(labels, {"summary": "5xx responses", "Error": chain})
    assert told.startswith("the query of rule Orders 5xx fails: …")
    assert told.endswith(": connection refused")
    assert query_sentence({"alertname": "Slow"}, {"grafana_state_reason": "NoData"}) == (
        "the query of rule Slow brings no data"
    )
