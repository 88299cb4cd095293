"""Alerts that belong together: one group is one notice, one triage and in the end one incident."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from opscrew.alerts.alert import AlertState
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.rules import Rules
from opscrew.model.finding import Severity


@dataclass(frozen=True)
class Group:
    """``triage`` is what was found out, as plain JSON; ``quiet_since`` is set while none of its alerts fires."""

    id: str
    key: str
    title: str
    opened_at: datetime
    closed_at: datetime | None = None
    quiet_since: datetime | None = None
    triage: Mapping[str, Any] = field(default_factory=dict)
    triaged_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.closed_at is None


@dataclass(frozen=True)
class Storm:
    """``common`` are the labels that most of the alerts share, most shared first."""

    alerts: int
    groups: int
    since: datetime
    common: tuple[tuple[str, int], ...]
    severity: Severity


def group_key(labels: Mapping[str, str], rules: Rules) -> str:
    """Equal for alerts that belong together."""
    return "\n".join(f"{name}={labels.get(name, '')}" for name in rules.group_by)


def new_group(alert: KnownAlert, rules: Rules, now: datetime) -> Group:
    """Opened by its first alert. The title names what the group has in common."""
    key = group_key(alert.labels, rules)
    identity = hashlib.sha256(f"{key}\n{now.isoformat()}".encode()).hexdigest()[:12]
    where = "/".join(alert.labels[name] for name in rules.group_by if name != "alertname" and alert.labels.get(name))
    return Group(identity, key, f"{alert.name} in {where}" if where else alert.name, now)


def is_due(group: Group, now: datetime, rules: Rules) -> bool:
    """Whether it has waited long enough for more of its kind."""
    return group.is_open and now - group.opened_at >= rules.wait


def quieted(group: Group, alerts: Sequence[KnownAlert], now: datetime, rules: Rules) -> Group:
    """The group after a look at its alerts: quiet, closed after a while of quiet, or alive again."""
    if any(alert.state is AlertState.FIRING for alert in alerts):
        return replace(group, quiet_since=None) if group.quiet_since else group
    ends = [alert.resolved_at for alert in alerts if alert.resolved_at]
    since = group.quiet_since or (max(ends) if ends else now)
    closed = since if now - since >= rules.quiet else None
    return replace(group, quiet_since=since, closed_at=closed)


def storm_of(groups: Iterable[Group], firing: Sequence[KnownAlert], now: datetime, rules: Rules) -> Storm | None:
    """What goes on when very much began at once, or None.

    Counted over what still fires: a storm is over when its alerts are, or when its beginning is long past.
    """
    since = now - timedelta(minutes=rules.storm_minutes)
    fresh = [alert for alert in firing if alert.first_seen > since or _came_back_since(alert, since)]
    fresh_groups = sum(1 for group in groups if group.is_open and group.opened_at > since)
    if len(fresh) <= rules.storm_alerts and fresh_groups <= rules.storm_groups:
        return None
    return Storm(
        alerts=len(fresh),
        groups=fresh_groups,
        since=min((alert.first_seen for alert in fresh), default=since),
        common=common_labels(fresh),
        severity=max((alert.severity for alert in fresh), key=lambda one: one.rank, default=Severity.WARNING),
    )


def came_in_storms(groups: Sequence[Group], rules: Rules) -> set[str]:
    """Ids of those that opened among more others than people are told of one by one."""
    times = sorted(group.opened_at for group in groups)
    reach = timedelta(minutes=rules.storm_minutes)
    return {
        group.id
        for group in groups
        if bisect_right(times, group.opened_at + reach) - bisect_left(times, group.opened_at - reach)
        > rules.storm_groups
    }


def common_labels(alerts: Sequence[KnownAlert], *, share: float = 0.5, most: int = 5) -> tuple[tuple[str, int], ...]:
    """``name=value`` pairs that at least that share of the alerts has, with how many do."""
    counted = Counter(f"{name}={value}" for alert in alerts for name, value in alert.labels.items())
    least = max(2, share * len(alerts))
    return tuple((pair, count) for pair, count in counted.most_common(50) if count >= least)[:most]


def worst(alerts: Iterable[KnownAlert]) -> Severity:
    """The highest severity among them; a warning when there are none."""
    return max((alert.severity for alert in alerts), key=lambda one: one.rank, default=Severity.WARNING)


def _came_back_since(alert: KnownAlert, since: datetime) -> bool:
    return bool(alert.changes) and alert.changes[-1] > since
