"""Reads what Alertmanager and Grafana send to a webhook: the same shape, since Grafana took it over.

https://prometheus.io/docs/alerting/latest/configuration/#webhook_config and
https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/.
A body is taken whole or not at all: half of one would make the rest look as if it had never fired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from opscrew.alerts.alert import Alert, AlertState, clean_annotations, clean_labels
from opscrew.store.text import LONGEST_SENTENCE, storable

MOST_ALERTS = 10_000
"""Alerts of one body: as many as are kept at once (``most_firing`` of ``rules.yaml``)."""


class MalformedWebhookError(ValueError):
    """The body is not what this source sends; the message says what is wrong, without quoting it."""


@dataclass(frozen=True)
class Delivery:
    """``cut`` is how many further alerts the sender left out (``truncatedAlerts``); polling finds them."""

    alerts: tuple[Alert, ...]
    cut: int = 0


def read_webhook(source: str, body: bytes) -> Delivery:
    """Raises ``MalformedWebhookError``."""
    try:
        content = orjson.loads(body)
    except (orjson.JSONDecodeError, RecursionError) as problem:
        raise MalformedWebhookError("the body is no JSON") from problem
    if not isinstance(content, dict):
        raise MalformedWebhookError("the body is no JSON object")
    entries = content.get("alerts")
    if not isinstance(entries, list):
        raise MalformedWebhookError("the body has no list of alerts")
    if len(entries) > MOST_ALERTS:
        raise MalformedWebhookError(f"more than {MOST_ALERTS} alerts in one body")
    cut = content.get("truncatedAlerts", 0)
    read = tuple(_alert(source, entry, number) for number, entry in enumerate(entries, 1))
    return Delivery(read, cut if isinstance(cut, int) and cut > 0 else 0)


def _alert(source: str, entry: Any, number: int) -> Alert:
    if not isinstance(entry, dict):
        raise MalformedWebhookError(f"alert {number} is no object")
    labels = _texts(entry.get("labels"), f"labels of alert {number}")
    if not labels:
        raise MalformedWebhookError(f"alert {number} has no labels")
    status = entry.get("status")
    if status not in list(AlertState):
        raise MalformedWebhookError(f"the status of alert {number} is neither firing nor resolved")
    starts = _moment(entry.get("startsAt"))
    if starts is None:
        raise MalformedWebhookError(f"alert {number} has no startsAt")
    state = AlertState(status)
    # While it fires, endsAt is the year 1 or only a guess of when it times out.
    ends = _moment(entry.get("endsAt")) if state is AlertState.RESOLVED else None
    return Alert(
        source=source,
        state=state,
        labels=clean_labels(labels),
        annotations=clean_annotations(_texts(entry.get("annotations") or {}, f"annotations of alert {number}")),
        starts_at=starts,
        ends_at=ends,
        upstream_id=_text(entry.get("fingerprint"), 64),
        url=_address(entry.get("generatorURL")),
    )


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
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        # The last hours of the calendar have no time in UTC.
        return read.astimezone(UTC) if read.tzinfo is not None and read.year >= 1971 else None
    except (ValueError, OverflowError):
        return None
