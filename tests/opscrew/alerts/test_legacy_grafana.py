"""Webhooks of Grafana's older alerting, after what people published of them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from opscrew.alerts.alert import Alert, AlertState
from opscrew.alerts.asides import LINK, VALUES
from opscrew.alerts.intake import read_webhook
from opscrew.alerts.kinds import AlertKind, kind_of, query_sentence
from opscrew.alerts.sentences import sentence_of

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def read(**content: Any) -> tuple[Alert, ...]:
    body = {"title": "[Alerting] Voltage", "ruleId": 2, "state": "alerting", "evalMatches": []} | content
    return read_webhook("grafana", json.dumps(body).encode(), NOW, "https://grafana.example.org").alerts


def test_one_rule_is_one_alert_with_its_message_values_and_link() -> None:
    url = "https://grafana.example.org/d/x/y?tab=alert&panelId=1"
    matches = [{"value": 23644.5, "metric": "voltage", "tags": {"host": "db1"}}]
    (alert,) = read(ruleName="Voltage", message="Too low.", ruleUrl=url, evalMatches=matches, tags={"team": "power"})
    assert dict(alert.labels) == {"alertname": "Voltage", "team": "power"}
    assert sentence_of(alert.annotations) == "Too low."
    assert alert.annotations["series"] == "voltage (host=db1)"
    assert alert.annotations[VALUES] == "voltage = 2.364e+04"
    assert alert.annotations[LINK] == alert.url == url


def test_without_a_name_the_title_names_it_and_its_end_too() -> None:
    (began,) = read()
    (ended,) = read(title="[OK] Voltage", state="ok", evalMatches=None)
    assert (began.name, began.state, ended.state) == ("Voltage", AlertState.FIRING, AlertState.RESOLVED)
    assert began.fingerprint == ended.fingerprint
    (nameless,) = read(title="")
    assert nameless.name == "Grafana rule 2"


@pytest.mark.parametrize("state", ["paused", "pending"])
def test_a_rule_that_is_paused_or_pending_says_nothing(state: str) -> None:
    assert read(state=state) == ()


def test_no_data_is_a_fault_of_the_query_and_the_test_is_a_test() -> None:
    (alert,) = read(state="no_data", ruleName="Voltage", message="Too low.")
    assert kind_of(alert.labels, alert.annotations) is AlertKind.QUERY
    assert query_sentence(alert.labels, alert.annotations) == "the query of rule Voltage brings no data"
    (test,) = read(ruleName="Test notification", ruleId=0)
    assert kind_of(test.labels, test.annotations) is AlertKind.TEST
