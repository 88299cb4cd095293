"""Alerts that belong together: one group is one notice, one triage and in the end one incident."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from opscrew.alerts.alert import UNNAMED, AlertState
from opscrew.alerts.kinds import AlertKind
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import own_labels_of
from opscrew.alerts.rules import Rules
from opscrew.model.finding import Severity

STORM = "storm"
"""Key of ``Group.triage`` that says since when the group belongs to a storm."""


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

    @property
    def name(self) -> str:
        """That of its alerts."""
        return self.key.partition("\n")[0].partition("=")[2] or UNNAMED

    @property
    def in_storm(self) -> bool:
        """Whether it opened in a storm that is not over: then it is told with the others."""
        return bool(self.triage.get(STORM))

    def with_storm(self, since: datetime | None) -> Group:
        """The group as one of a storm, or no longer."""
        triage = {name: value for name, value in self.triage.items() if name != STORM}
        return replace(self, triage=triage | ({STORM: since.isoformat()} if since else {}))


@dataclass(frozen=True)
class Storm:
    """``groups`` are its groups, the gravest first, with what fires in each; ``fresh`` those that just joined it.

    ``common`` are the labels that most of the alerts share, most shared first.
    """

    groups: tuple[tuple[Group, tuple[KnownAlert, ...]], ...]
    fresh: tuple[Group, ...]
    since: datetime
    common: tuple[tuple[str, int], ...]

    @property
    def alerts(self) -> int:
        return sum(len(members) for _, members in self.groups)


def group_key(alert: KnownAlert, rules: Rules) -> str:
    """Equal for alerts that belong together, by their own labels and not by those of who was scraped."""
    if alert.kind is AlertKind.QUERY:
        return "\n".join(f"{name}={alert.labels.get(name, '')}" for name in rules.group_queries_by)
    own = own_labels_of(alert)
    return "\n".join(f"{name}={own.get(name, '')}" for name in rules.group_by)


def new_group(alert: KnownAlert, rules: Rules, now: datetime) -> Group:
    """Opened by its first alert. The title names what the group has in common."""
    key = group_key(alert, rules)
    identity = hashlib.sha256(f"{key}\n{now.isoformat()}".encode()).hexdigest()[:12]
    shared = dict(line.partition("=")[::2] for line in key.splitlines())
    source, folder = shared.get("datasource_uid", ""), shared.get("grafana_folder", "")
    title = alert.name
    if where := "/".join(shared[name] for name in ("cluster", "namespace") if shared.get(name)):
        title += f" in {where}"
    title += f" of data source {source}" if source else ""
    title += f" (folder {folder})" if folder else ""
    return Group(identity, key, title, now)


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

    A storm takes in the groups that open while it blows, and keeps them until hardly anything of them fires: what comes
    later is told by itself. Counted over what still fires.
    """
    since = now - timedelta(minutes=rules.storm_minutes)
    members: dict[str, list[KnownAlert]] = {}
    for alert in firing:
        members.setdefault(alert.group_id, []).append(alert)
    open_ones = [group for group in groups if group.is_open]
    began = sum(1 for alert in firing if alert.first_seen > since or _came_back_since(alert, since))
    opened = [group for group in open_ones if group.opened_at > since]
    blows = began > rules.storm_alerts or len(opened) > rules.storm_groups
    kept = [group for group in open_ones if group.in_storm]
    fresh = [group.with_storm(now) for group in opened if not group.in_storm] if blows else []
    taken = [(group, tuple(members[group.id])) for group in (*kept, *fresh) if group.id in members]
    alerts = [alert for _, told in taken for alert in told]
    if not alerts or (not blows and len(alerts) <= rules.storm_rest):
        return None
    taken.sort(key=lambda one: (-worst(one[1]).rank, -len(one[1]), one[0].opened_at))
    return Storm(tuple(taken), tuple(fresh), min(group.opened_at for group, _ in taken), common_labels(alerts))


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
    counted = Counter(f"{name}={value}" for alert in alerts for name, value in own_labels_of(alert).items())
    least = max(2, share * len(alerts))
    return tuple((pair, count) for pair, count in counted.most_common(50) if count >= least)[:most]


def worst(alerts: Iterable[KnownAlert]) -> Severity:
    """The highest severity among them; a warning when there are none."""
    return max((alert.severity for alert in alerts), key=lambda one: one.rank, default=Severity.WARNING)


def _came_back_since(alert: KnownAlert, since: datetime) -> bool:
    return bool(alert.changes) and alert.changes[-1] > since
