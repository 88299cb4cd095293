"""Alerts that do not say that something is wrong in the world: heartbeats, tests, and faults of a rule's query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import re2

from opscrew.alerts.labels import label_rules
from opscrew.alerts.rules import alert_rules


class AlertKind(StrEnum):
    """``QUERY`` is a fault of a rule's query: nobody knows whether what the rule watches is well."""

    USUAL = "usual"
    HEARTBEAT = "heartbeat"
    TEST = "test"
    QUERY = "query"
    UNTOLD = "untold"


QUERY_FAULTS = {"datasourceerror": "fails", "datasourcenodata": "brings no data"}
"""Names of the alerts that Grafana raises in place of a rule's own, folded.
https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/"""
STATE_REASON = "grafana_state_reason"
TEST_LABELS = {"alertname": "TestAlert", "instance": "Grafana"}
"""What Grafana's button "Test" sends, unless somebody types labels of their own."""
TEST_MARK = "__test__"
"""Annotation with which ``intake`` marks a test that is known by the rest of its body."""

_CONSTANT = re.compile(r"\s*vector\(\s*1\s*\)\s*")


def kind_of(labels: Mapping[str, str], annotations: Mapping[str, str], url: str = "") -> AlertKind:
    """By name, severity, and the rule's expression where the link back to it holds one."""
    rules = alert_rules()
    name, severity = labels.get("alertname", ""), labels.get("severity", "").strip().lower()
    if annotations.get(TEST_MARK) or all(labels.get(key) == value for key, value in TEST_LABELS.items()):
        return AlertKind.TEST
    if query_fault(labels, annotations):
        return AlertKind.QUERY
    folded = re.sub(r"[^a-z0-9]", "", name.lower())
    if folded in rules.untold:
        return AlertKind.UNTOLD
    # A rule of the same words that is critical may well tell of a heartbeat that failed.
    quiet = severity in ("", "none", "info")
    if _named(rules.heartbeats, folded) or (quiet and _named(rules.quiet_heartbeats, folded)):
        return AlertKind.HEARTBEAT
    # People also mute alerts with this word; such a one is about something.
    if severity == "none" and not any(labels.get(one.label) for one in label_rules().kinds):
        return AlertKind.HEARTBEAT
    return AlertKind.HEARTBEAT if _is_constant(url) else AlertKind.USUAL


def query_fault(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """What is wrong with the rule's query: "fails", "brings no data", or empty."""
    named = QUERY_FAULTS.get(labels.get("alertname", "").lower(), "")
    if named and any(labels.get(name) for name in ("rulename", "datasource_uid", "ref_id")):
        return named  # without these it is somebody's own rule of that name
    # With "Alerting" set for these states, the rule's own alert fires without anything having been measured.
    reasons = {one.strip().lower() for one in annotations.get(STATE_REASON, "").split(",")}
    return "fails" if "error" in reasons else "brings no data" if "nodata" in reasons else ""


def query_sentence(labels: Mapping[str, str], annotations: Mapping[str, str]) -> str:
    """The fault in words, with the data source's own where it gave some."""
    rule = labels.get("rulename") or labels.get("alertname", "")
    fault = query_fault(labels, annotations)
    error = " ".join(next((value for name, value in annotations.items() if name.lower() == "error"), "").split())
    # The end of a chain of errors says what happened; its beginning who passed it on.
    error = error if len(error) <= LONGEST_ERROR else "…" + error[-LONGEST_ERROR:]
    return f"the query of rule {rule} {fault}" + (f": {error}" if error else "")


LONGEST_ERROR = 160


def _is_constant(url: str) -> bool:
    """Prometheus' and vmalert's links carry the expression: one that is always true is a heartbeat."""
    try:
        query = parse_qs(urlsplit(url).query)
    except ValueError:
        return False
    return any(_CONSTANT.fullmatch(text) for name in ("g0.expr", "expr") for text in query.get(name, ()))


def _named(pattern: str, folded: str) -> bool:
    return _compiled(pattern).fullmatch(folded) is not None


@cache
def _compiled(pattern: str) -> Any:
    return re2.compile(pattern)
