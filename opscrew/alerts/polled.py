"""Alerts as polling finds them in Alertmanager, Grafana and vmalert."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from opscrew.alerts.alert import Alert, AlertState, clean_annotations, clean_labels
from opscrew.store.text import LONGEST_SENTENCE, storable
from tools.alert_records import RoutedAlert
from tools.victoriametrics.records import RuleAlert


def from_routed(source: str, records: Iterable[RoutedAlert], now: datetime) -> list[Alert]:
    """Firing alerts of Alertmanager or Grafana. What ended by its own time is no longer firing."""
    return [
        Alert(
            source=source,
            state=AlertState.FIRING,
            labels=clean_labels(one.labels),
            annotations=clean_annotations(one.annotations),
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


def _shown(url: str) -> str:
    return storable(url, LONGEST_SENTENCE) if url.startswith(("http://", "https://")) else ""
