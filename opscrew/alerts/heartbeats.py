"""Heartbeats: alerts that always fire, so that their silence tells that other alerts no longer come either.

Two links can break. Where the source itself no longer holds the heartbeat, nothing is evaluated or sent
(ALERT_HEARTBEAT_MISSING); where the source holds it and its webhook stays out, nothing reaches people
(ALERT_DELIVERY_FAILING).
"""

from __future__ import annotations

import statistics
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from opscrew.alerts.alert import AlertState
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import object_words
from opscrew.alerts.rules import Rules, alert_rules
from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.reading_time import minute

LATE = 2.0
"""Times the usual pause between two webhooks: one may be lost, or wait for its group."""
FEWEST = 3
"""Webhooks that make a usual pause."""


def heartbeat_findings(
    alerts: Iterable[KnownAlert], polled: Collection[str], now: datetime, rules: Rules
) -> list[Finding]:
    """``polled`` are the sources that were just asked and answered."""
    return [found for alert in alerts if alert.is_heartbeat for found in _judge(alert, polled, now, rules)]


def due_within(arrivals: Sequence[datetime], rules: Rules) -> timedelta:
    """How long after the last webhook the next one is not yet missed."""
    if len(arrivals) < FEWEST:
        return timedelta(minutes=rules.heartbeat_first_minutes)
    pauses = [(after - before).total_seconds() for before, after in pairwise(arrivals)]
    return LATE * timedelta(seconds=statistics.median(pauses)) + timedelta(minutes=rules.heartbeat_grace_minutes)


def _judge(alert: KnownAlert, polled: Collection[str], now: datetime, rules: Rules) -> Iterator[Finding]:
    came = alert.changes[-1] if alert.changes else None
    # A source that answers may not know: then it did not hold the heartbeat just now.
    is_fresh = now - alert.last_seen < timedelta(minutes=rules.heartbeat_grace_minutes)
    held = alert.state is AlertState.FIRING and is_fresh and bool(set(alert.sources) & set(polled))
    late = now - (came or alert.last_seen) > due_within(alert.changes, rules)
    if alert.state is AlertState.RESOLVED:
        yield _finding("ALERT_HEARTBEAT_MISSING", alert, f"it ended at {minute(alert.resolved_at or now)}")
    elif late and not held:
        yield _finding("ALERT_HEARTBEAT_MISSING", alert, f"nothing has told of it since {minute(alert.last_seen)}")
    elif late and came is not None and not alert.silenced:
        why = f"it fires in {', '.join(sorted(alert.sources))}, and no webhook has told of it since {minute(came)}"
        yield _finding("ALERT_DELIVERY_FAILING", alert, why)


def _finding(code: str, alert: KnownAlert, why: str) -> Finding:
    where = "/".join(alert.labels[name] for name in ("cluster", "namespace") if alert.labels.get(name))
    senders = (
        f"{name} {alert.labels[name]}" for name in sorted(alert_rules().heartbeat_labels) if alert.labels.get(name)
    )
    words = ", ".join(filter(None, (object_words(alert), *senders)))
    told = f"{alert.name}{f' ({words})' if words else ''} should fire at all times, and does not reach us: {why}"
    return finding(
        code,
        Subject(system="alertmanager", kind="heartbeat", scope=where, name=alert.name, url=alert.url),
        told,
        aspect=alert.fingerprint,
        evidence=[Evidence(source="crew alerts", text=why, observed_at=alert.last_seen, link=alert.url)],
    )
