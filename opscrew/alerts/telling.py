"""What people are told about alerts: one finding per group, one for a storm, one for a repair that did not help."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opscrew.alerts.alert import AlertState
from opscrew.alerts.groups import Group, Storm, worst
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.rules import Rules
from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.reading_time import clock_time
from opscrew.store.text import storable

MOST_NAMED = 5


def subject_of_group(group: Group, alerts: Sequence[KnownAlert]) -> Subject:
    """The same for each incident of the same group, so that the ledger recognises it."""
    labels = alerts[0].labels if alerts else {}
    scope = "/".join(labels[name] for name in ("cluster", "namespace") if labels.get(name))
    url = next((alert.url for alert in alerts if alert.url), "")
    return Subject(system="alertmanager", kind="alert", scope=scope, name=_name(group), url=url)


def group_finding(group: Group, alerts: Sequence[KnownAlert], now: datetime, rules: Rules) -> Finding:
    """One for all alerts of the group, with the likeliest cause where triage found one."""
    firing = [alert for alert in alerts if alert.state is AlertState.FIRING]
    flapping = sum(1 for alert in firing if alert.is_flapping(now, rules))
    count = f"{len(firing)} alerts" if len(firing) != 1 else "1 alert"
    parts = [f"{group.title}: {count} firing"]
    summary = next((alert.annotations["summary"] for alert in firing if alert.annotations.get("summary")), "")
    parts += [storable(summary, 200)] if summary else []
    causes = group.triage.get("causes", [])
    parts += [f"Likeliest cause: {causes[0]['text']}"] if causes else []
    parts += [f"{flapping} flapping"] if flapping else []
    shown = sorted(firing, key=lambda one: (-one.severity.rank, one.starts_at))[:MOST_NAMED]
    told = "; ".join(part.rstrip(".") for part in parts) + "."
    lines = [_line(alert) for alert in shown] + [
        Evidence(source="crew triage", text=f"{cause['score']:.2f} {cause['text']} ({cause['why']})", observed_at=now)
        for cause in causes
    ]
    return finding(
        "ALERT_FIRING",
        subject_of_group(group, alerts),
        told,
        severity=worst(firing),
        reason=_name(group),
        aspect=group.key,
        evidence=lines,
        details={
            "group": group.id,
            "alerts": len(firing),
            "flapping": flapping,
            "action": group.triage.get("action", ""),
        },
    )


def storm_finding(storm: Storm, now: datetime) -> Finding:
    """One notice for everything. It names what the alerts share."""
    common = ", ".join(f"{pair} ({count})" for pair, count in storm.common) or "no label"
    return finding(
        "ALERT_STORM",
        Subject(system="alertmanager", kind="storm", name="alerts"),
        f"{storm.alerts} alerts in {storm.groups} groups since {clock_time(storm.since)}; most share {common}",
        severity=max(storm.severity, Severity.CRITICAL, key=lambda one: one.rank),
        evidence=[Evidence(source="crew alerts", text=f"shared labels: {common}", observed_at=now)],
        details={"alerts": storm.alerts, "groups": storm.groups, "common": [list(pair) for pair in storm.common]},
    )


def repair_failed_finding(group: Group, alerts: Sequence[KnownAlert], action: str, why: str) -> Finding:
    """A repair was carried out, and the alert or its object is still not well."""
    return finding(
        "ALERT_REPAIR_FAILED",
        subject_of_group(group, alerts),
        f"{group.title}: the repair (action {action}) did not help: {why}",
        aspect=group.key,
        details={"group": group.id, "action": action},
    )


def _name(group: Group) -> str:
    return group.title.partition(" in ")[0]


def _line(alert: KnownAlert) -> Evidence:
    told = ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if name != "alertname")
    return Evidence(
        source=", ".join(sorted(alert.sources)) or "alert",
        text=storable(told),
        observed_at=alert.starts_at,
        link=alert.url,
    )
