"""Reads what Alertmanager and Grafana send to a webhook: the same shape, since Grafana took it over.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
An alert that cannot be read costs itself alone: neither sender tries again after a refusal, so that with the whole body
its neighbours would be lost. What was left out is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from opscrew.alerts.alert import Alert, AlertState, clean_annotations, clean_labels
from opscrew.alerts.asides import asides, link_told, values_told
from opscrew.alerts.kinds import TEST_MARK
from opscrew.alerts.legacy_grafana import is_legacy, read_legacy
from opscrew.store.text import LONGEST_SENTENCE, storable

MOST_ALERTS = 10_000
"""Alerts of one body: as many as are kept at once (``most_firing`` of ``rules.yaml``)."""
STATES = {
    "firing": AlertState.FIRING,
    "active": AlertState.FIRING,
    "alerting": AlertState.FIRING,
    "resolved": AlertState.RESOLVED,
    "ok": AlertState.RESOLVED,
    "normal": AlertState.RESOLVED,
}
"""Alertmanager's words first; the others are those of its API and of Grafana's states."""
TEST_KEY = re.compile(r".+-[0-9a-f]{16}-\d{10}")
"""The group key of Grafana's button "Test", whatever labels somebody typed: receiver, fingerprint, time."""


class MalformedWebhookError(ValueError):
    """The body is not what this source sends; the message says what is wrong, without quoting it."""


@dataclass(frozen=True)
class Delivery:
    """``cut`` is how many further alerts the sender left out (``truncatedAlerts``); polling finds them.

    ``odd`` says of each alert that could not be read what is wrong with it.
    """

    alerts: tuple[Alert, ...]
    cut: int = 0
    odd: tuple[str, ...] = ()


def read_webhook(source: str, body: bytes, now: datetime, grafana: str = "") -> Delivery:
    """Raises ``MalformedWebhookError`` where nothing can be read. Links are kept that lead to ``grafana``."""
    try:
        content = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as problem:
        raise MalformedWebhookError("the body is no JSON") from problem
    if isinstance(content, list) and content:
        content = {"alerts": content}  # as scripts send them to Alertmanager itself
    if not isinstance(content, dict):
        raise MalformedWebhookError("the body is no JSON object")
    if is_legacy(content):
        return Delivery(read_legacy(source, content, now, grafana))
    entries = content.get("alerts")
    if not isinstance(entries, list):
        raise MalformedWebhookError(
            "the body has no list of alerts; take the sender's own payload, without a template of one's own"
        )
    if len(entries) > MOST_ALERTS:
        raise MalformedWebhookError(f"more than {MOST_ALERTS} alerts in one body")
    cut = content.get("truncatedAlerts", 0)
    cut = cut if isinstance(cut, int) and cut > 0 else 0
    marks = asides(left_out=cut, sent=len(entries)) | ({TEST_MARK: "yes"} if _is_test(source, content) else {})
    whole = _Body(source, str(content.get("status", "")).lower(), now, marks, grafana)
    read, odd = [], []
    for number, entry in enumerate(entries, 1):
        try:
            read.append(_alert(entry, number, whole))
        except MalformedWebhookError as problem:
            odd.append(str(problem))
    if odd and not read:
        raise MalformedWebhookError(odd[0])
    return Delivery(tuple(read), cut, tuple(odd))


@dataclass(frozen=True)
class _Body:
    """What holds for every alert of one body. ``marks`` are kept beside their annotations."""

    source: str
    status: str
    now: datetime
    marks: dict[str, str]
    grafana: str


def _alert(entry: Any, number: int, whole: _Body) -> Alert:
    if not isinstance(entry, dict):
        raise MalformedWebhookError(f"alert {number} is no object")
    labels = _texts(entry.get("labels"), f"labels of alert {number}")
    if not labels:
        raise MalformedWebhookError(f"alert {number} has no labels")
    ends = _moment(entry.get("endsAt"))
    state = _state(entry, ends, number, whole)
    ends = ends if state is AlertState.RESOLVED else None  # while it fires, a guess of when it times out
    starts = _moment(entry.get("startsAt"))
    if starts is None and not _is_unsaid(entry.get("startsAt")):
        raise MalformedWebhookError(f"alert {number} has no startsAt that is a time")
    annotations = _texts(entry.get("annotations") or {}, f"annotations of alert {number}")
    told = asides(
        values_told(entry.get("values"), entry.get("valueString")),
        link_told([entry.get("panelURL"), entry.get("dashboardURL")], whole.grafana),
    )
    return Alert(
        source=whole.source,
        state=state,
        labels=clean_labels(labels),
        annotations=clean_annotations(annotations) | told | whole.marks,
        # Programs that are no Alertmanager leave it out: then it began when it came.
        starts_at=starts or ends or whole.now,
        ends_at=ends,
        upstream_id=_text(entry.get("fingerprint"), 64),
        url=_address(entry.get("generatorURL")),
    )


def _state(entry: Mapping[str, Any], ends: datetime | None, number: int, whole: _Body) -> AlertState:
    """As it is told; where nothing is told, by its end, else by the body's own status."""
    status = entry.get("status")
    if status is not None:
        state = STATES.get(status.lower()) if isinstance(status, str) else None
        if state is None:
            raise MalformedWebhookError(f"the status of alert {number} is neither firing nor resolved")
        return state
    if ends is not None and ends <= whole.now:
        return AlertState.RESOLVED
    return STATES.get(whole.status, AlertState.FIRING)


def _is_test(source: str, content: Mapping[str, Any]) -> bool:
    key = content.get("groupKey")
    return source == "grafana" and isinstance(key, str) and TEST_KEY.fullmatch(key) is not None


def _texts(value: Any, where: str) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise MalformedWebhookError(f"{where} are not texts by name")
    return value


def _text(value: Any, longest: int) -> str:
    return storable(value, longest) if isinstance(value, str) else ""


def _address(value: Any) -> str:
    """Only http and https: it is shown as a link."""
    text = _text(value, LONGEST_SENTENCE)
    return text if text.startswith(("http://", "https://")) else ""


def _moment(value: Any) -> datetime | None:
    """A time with its zone, after 1970; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        # The last hours of the calendar have no time in UTC.
        return read.astimezone(UTC) if read.tzinfo is not None and read.year >= 1971 else None
    except (ValueError, OverflowError):
        return None


def _is_unsaid(value: Any) -> bool:
    """Go writes the year 1 where there is no time."""
    return value is None or value == "" or (isinstance(value, str) and value.startswith("0001-"))
