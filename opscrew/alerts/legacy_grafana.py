"""Reads the webhooks of Grafana before its unified alerting (up to version 8, and 10 where it was kept switched on).

One body is one rule in one state: https://grafana.com/docs/grafana/v8.5/alerting/old-alerting/notifications/#webhook.
An end names no series, so that an alert is told apart by its rule alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from opscrew.alerts.alert import Alert, AlertState, clean_annotations, clean_labels
from opscrew.alerts.asides import asides, link_told, values_told
from opscrew.alerts.kinds import STATE_REASON, TEST_MARK
from opscrew.store.text import LONGEST_SENTENCE, storable

STATES = {"alerting": AlertState.FIRING, "no_data": AlertState.FIRING, "ok": AlertState.RESOLVED}
"""A rule that is pending or paused says nothing of the world."""
TEST_RULE = "Test notification"
MOST_SERIES = 10


def is_legacy(content: Mapping[str, Any]) -> bool:
    """By the fields that no other sender has."""
    told = isinstance(content.get("state"), str) and not isinstance(content.get("alerts"), list)
    return told and any(name in content for name in ("ruleId", "ruleName", "ruleUrl", "evalMatches"))


def read_legacy(source: str, content: Mapping[str, Any], now: datetime, grafana: str) -> tuple[Alert, ...]:
    """One alert, or none where the rule is paused or pending."""
    state = STATES.get(content["state"].lower())
    if state is None:
        return ()
    tags = content.get("tags")
    labels = {str(name): str(value) for name, value in tags.items()} if isinstance(tags, dict) else {}
    matches = content.get("evalMatches")
    series = [one for one in matches if isinstance(one, dict)][:MOST_SERIES] if isinstance(matches, list) else []
    annotations = {"message": _text(content.get("message")), "series": "; ".join(filter(None, map(_series, series)))}
    annotations |= {STATE_REASON: "NoData"} if content["state"].lower() == "no_data" else {}
    beside = asides(
        values_told({str(one.get("metric") or "value"): one.get("value") for one in series}),
        link_told([content.get("ruleUrl")], grafana),
    )
    name = _name(content)
    if name == TEST_RULE:
        beside |= {TEST_MARK: "yes"}
    url = _text(content.get("ruleUrl"))
    return (
        Alert(
            source=source,
            state=state,
            labels=clean_labels({**labels, "alertname": name}),
            annotations=clean_annotations({name: value for name, value in annotations.items() if value}) | beside,
            starts_at=now,
            ends_at=now if state is AlertState.RESOLVED else None,
            url=storable(url, LONGEST_SENTENCE) if url.startswith(("http://", "https://")) else "",
        ),
    )


def _name(content: Mapping[str, Any]) -> str:
    """The rule's; else the title without its state in brackets; else its number."""
    name = _text(content.get("ruleName"))
    title = _text(content.get("title")).strip()
    if title.startswith("["):
        title = title.partition("]")[2].strip()
    return name or title or f"Grafana rule {content.get('ruleId', 'without a name')}"


def _series(match: Mapping[str, Any]) -> str:
    """What fired: "cpu (host=db1)"."""
    tags = match.get("tags")
    told = ", ".join(f"{name}={value}" for name, value in sorted(tags.items())) if isinstance(tags, dict) else ""
    return f"{match.get('metric') or 'series'}" + (f" ({told})" if told else "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
