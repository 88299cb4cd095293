"""Alerts as polling finds them in Alertmanager, Grafana and vmalert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import orjson

from opscrew.alerts.alert import Alert, AlertState, clean_annotations, clean_labels
from opscrew.alerts.asides import asides, panel_link, values_told
from opscrew.store.text import LONGEST_SENTENCE, storable
from tools.alert_records import RoutedAlert
from tools.victoriametrics.records import RuleAlert


def from_routed(source: str, records: Iterable[RoutedAlert], now: datetime, grafana: str = "") -> list[Alert]:
    """Firing alerts of Alertmanager or Grafana. What ended by its own time is no longer firing.

    ``grafana`` is the address that its links lead to.
    """
    return [
        Alert(
            source=source,
            state=AlertState.FIRING,
            labels=clean_labels(one.labels),
            annotations=clean_annotations(one.annotations) | _beside(one.annotations, grafana),
            starts_at=one.starts_at,
            upstream_id=one.fingerprint,
            url=_shown(one.generator_url),
            silenced=one.is_suppressed,
        )
        for one in records
        if one.labels and one.ends_at > now
    ]


def from_vmalert(records: Iterable[RuleAlert], now: datetime) -> list[Alert]:
    """Firing alerts of vmalert; pending ones are not yet alerts."""
    return [
        Alert(
            source="vmalert",
            state=AlertState.FIRING,
            labels=clean_labels({"alertname": one.name, **one.labels} if one.name else one.labels),
            annotations=clean_annotations(one.annotations),
            starts_at=one.active_at or now,
            upstream_id=one.id,
            url=_shown(one.source),
        )
        for one in records
        if one.is_firing and (one.labels or one.name)
    ]


def _beside(annotations: Mapping[str, str], grafana: str) -> dict[str, str]:
    """Grafana's API tells in private annotations what its webhook tells in fields of their own."""
    try:
        values = orjson.loads(annotations.get("__values__", "{}"))
    except orjson.JSONDecodeError:
        values = {}
    link = panel_link(grafana, annotations.get("__dashboardUid__", ""), annotations.get("__panelId__", ""))
    return asides(values_told(values, annotations.get("__value_string__", "")), link)


def _shown(url: str) -> str:
    return storable(url, LONGEST_SENTENCE) if url.startswith(("http://", "https://")) else ""
