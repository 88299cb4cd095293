"""An alert's life: what a notice changes, whether it comes too late to count, whether the alert flaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from opscrew.alerts.alert import Alert, AlertState, is_private
from opscrew.alerts.kinds import STATE_REASON, AlertKind, kind_of
from opscrew.alerts.rules import Rules
from opscrew.model.finding import Severity

CHANGES_KEPT = 40


@dataclass(frozen=True)
class KnownAlert:
    """One alert as it is kept. ``sources`` are those that hold it as firing, with their own fingerprint of it.

    ``changes`` are the latest times at which it began or ended; of a heartbeat, at which a webhook told of it.
    """

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

    @property
    def kind(self) -> AlertKind:
        return kind_of(self.labels, self.annotations, self.url)

    @property
    def is_heartbeat(self) -> bool:
        return self.kind is AlertKind.HEARTBEAT

    def is_flapping(self, now: datetime, rules: Rules) -> bool:
        since = now - timedelta(minutes=rules.flapping_minutes)
        return not self.is_heartbeat and sum(1 for at in self.changes if at > since) >= rules.flapping_changes


def observe(known: KnownAlert | None, told: Alert, now: datetime, *, polled: bool = False) -> KnownAlert | None:
    """The alert after one notice, or None where there is nothing to keep.

    Notices arrive late, twice and out of order. An end counts by its own time: of a pair of Alertmanagers one may have
    seen an earlier beginning than the other. An end from before the present beginning changes nothing. A firing notice
    is always believed, also with the beginning of what was taken for over: a time-out, a restart or a lost connection
    ended it for us alone. A late one is ended again by the next look; one that is not believed is never told.
    """
    if known is None:
        new = _new(told, now, polled=polled)
        if told.state is AlertState.FIRING:
            return new
        # The end of what nobody knew of is no news, unless it should never end.
        return without_source(new, told.source, told.ends_at or now, now) if new.is_heartbeat else None
    if told.state is AlertState.RESOLVED:
        if known.state is AlertState.RESOLVED or _is_of_an_earlier_time(told, known):
            return known
        reason = {STATE_REASON: told.annotations[STATE_REASON]} if STATE_REASON in told.annotations else {}
        known = replace(known, annotations={**known.annotations, **reason})
        return without_source(known, told.source, told.ends_at or now, now)
    back = known.state is AlertState.RESOLVED
    return replace(
        known,
        severity=told.severity,
        annotations=_annotations(known, told),
        url=told.url or known.url,
        sources={**known.sources, told.source: told.upstream_id or known.sources.get(told.source, "")},
        state=AlertState.FIRING,
        silenced=known.silenced if told.silenced is None else told.silenced,
        # A beginning that lies ahead comes from a clock that is wrong.
        starts_at=min(told.starts_at, now) if back else min(known.starts_at, told.starts_at),
        last_seen=max(now, known.last_seen),
        resolved_at=None,
        changes=_changed(known.changes, now) if (not polled if known.is_heartbeat else back) else known.changes,
        group_id="" if back else known.group_id,
    )


def _annotations(known: KnownAlert, told: Alert) -> Mapping[str, str]:
    """Sentences stay where a notice has none; what a delivery tells beside them, and why it ended, is of its time."""
    if any(not is_private(name) for name in told.annotations):
        return told.annotations
    kept = {name: text for name, text in known.annotations.items() if not is_private(name) and name != STATE_REASON}
    return {**kept, **told.annotations}


def _is_of_an_earlier_time(told: Alert, known: KnownAlert) -> bool:
    """Whether an end belongs to a time before the one in which the alert fires now."""
    began_before = told.starts_at < known.starts_at
    return began_before and (told.ends_at is None or told.ends_at < known.starts_at)


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
    changes = known.changes if known.is_heartbeat else _changed(known.changes, now)
    return replace(known, sources={}, state=AlertState.RESOLVED, resolved_at=at, changes=changes)


def _new(told: Alert, now: datetime, *, polled: bool) -> KnownAlert:
    heartbeat = kind_of(told.labels, told.annotations, told.url) is AlertKind.HEARTBEAT
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
        changes=() if heartbeat and polled else (now,),
    )


def _changed(changes: Sequence[datetime], now: datetime) -> tuple[datetime, ...]:
    return (*changes, now)[-CHANGES_KEPT:]
