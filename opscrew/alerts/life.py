"""An alert's life: what a notice changes, whether it comes too late to count, whether the alert flaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from opscrew.alerts.alert import Alert, AlertState
from opscrew.alerts.rules import Rules
from opscrew.model.finding import Severity

CHANGES_KEPT = 40


@dataclass(frozen=True)
class KnownAlert:
    """One alert as it is kept. ``sources`` are those that hold it as firing, with their own fingerprint of it."""

    fingerprint: str
    name: str
    severity: Severity
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    url: str
    sources: Mapping[str, str]
    state: AlertState
    silenced: bool
    starts_at: datetime
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None = None
    changes: tuple[datetime, ...] = field(default=())
    group_id: str = ""

    def is_flapping(self, now: datetime, rules: Rules) -> bool:
        since = now - timedelta(minutes=rules.flapping_minutes)
        return sum(1 for at in self.changes if at > since) >= rules.flapping_changes


def observe(known: KnownAlert | None, told: Alert, now: datetime, *, polled: bool = False) -> KnownAlert | None:
    """The alert after one notice, or None where there is nothing to keep.

    Notices arrive late, twice and out of order. A firing notice about a time that is known to be over, and an end of
    an earlier time, change nothing. What polling sees is the present and always counts.
    """
    if known is None:
        return None if told.state is AlertState.RESOLVED else _new(told, now)
    if told.state is AlertState.RESOLVED:
        if known.state is AlertState.RESOLVED or told.starts_at < known.starts_at:
            return known
        return without_source(known, told.source, told.ends_at or now, now)
    if known.state is AlertState.RESOLVED and not polled and told.starts_at <= known.starts_at:
        return known
    back = known.state is AlertState.RESOLVED
    return replace(
        known,
        severity=told.severity,
        annotations=told.annotations or known.annotations,
        url=told.url or known.url,
        sources={**known.sources, told.source: told.upstream_id or known.sources.get(told.source, "")},
        state=AlertState.FIRING,
        silenced=known.silenced if told.silenced is None else told.silenced,
        # A beginning that lies ahead comes from a clock that is wrong.
        starts_at=min(told.starts_at, now) if back else min(known.starts_at, told.starts_at),
        last_seen=max(now, known.last_seen),
        resolved_at=None,
        changes=_changed(known.changes, now) if back else known.changes,
        group_id="" if back else known.group_id,
    )


def without_source(known: KnownAlert, source: str, ended: datetime, now: datetime) -> KnownAlert:
    """The alert once ``source`` no longer holds it. It is over when nobody does.

    vmalert tells Alertmanager, which waits before it lets go: the end is when the first says so for a webhook, since
    Alertmanager only sends one when the alert really ended.
    """
    left = {name: identity for name, identity in known.sources.items() if name != source}
    if left:
        return replace(known, sources=left)
    # An end in the future or before the beginning comes from a clock that is wrong.
    at = ended if known.starts_at <= ended <= now else now
    return replace(known, sources={}, state=AlertState.RESOLVED, resolved_at=at, changes=_changed(known.changes, now))


def _new(told: Alert, now: datetime) -> KnownAlert:
    return KnownAlert(
        fingerprint=told.fingerprint,
        name=told.name,
        severity=told.severity,
        labels=told.labels,
        annotations=told.annotations,
        url=told.url,
        sources={told.source: told.upstream_id},
        state=AlertState.FIRING,
        silenced=bool(told.silenced),
        starts_at=min(told.starts_at, now),
        first_seen=now,
        last_seen=now,
        changes=(now,),
    )


def _changed(changes: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    return (*changes, now)[-CHANGES_KEPT:]
