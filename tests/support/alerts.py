"""Alerts for tests."""

from __future__ import annotations

from datetime import datetime

from opscrew.alerts.alert import Alert, AlertState


def firing(at: datetime, name: str = "PodsRestart", *, source: str = "alertmanager", **labels: str) -> Alert:
    told = {"alertname": name, "namespace": "shop", "severity": "warning"} | labels
    return Alert(source, AlertState.FIRING, told, at, upstream_id="f" + labels.get("pod", "0"))


def resolved(alert: Alert, at: datetime) -> Alert:
    return Alert(alert.source, AlertState.RESOLVED, alert.labels, alert.starts_at, ends_at=at)
