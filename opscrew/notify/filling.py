"""Fills the outbox: what happened since the last look, for each channel that wants it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, select

from opscrew.findings import rows
from opscrew.findings.life import OPEN
from opscrew.findings.records import LedgerEntry
from opscrew.model.finding import Severity
from opscrew.notify import outbox
from opscrew.notify.channels import Health, begin, health_of
from opscrew.notify.events import Event, What, is_wanted
from opscrew.notify.history import facts_of, overdue, read_new
from opscrew.notify.rules import rules
from opscrew.notify.times import digest_due, has_digest, is_held
from opscrew.settings_notify import ChannelSettings, NotifySettings
from opscrew.store.tables.findings import findings

_PLURAL = {Severity.CRITICAL: "critical", Severity.WARNING: "warning", Severity.INFO: "info"}


def fill(engine: Engine, settings: NotifySettings, zone: ZoneInfo, now: datetime) -> None:
    """One transaction. A channel that is new begins with one summary of what is open, and hears of nothing before."""
    with outbox.writing(engine) as connection:
        events = read_new(connection, now)
        events += overdue(connection, timedelta(hours=settings.overdue_hours), now)
        for channel in settings.channels:
            health = health_of(connection, channel.name)
            if health is None:
                begin(connection, channel.name, now)
                outbox.add(connection, channel.name, [(_start(connection, channel, now), "pending")], now)
                continue
            wanted = [event for event in events if is_wanted(event, channel)]
            told = list(_worth_telling(connection, channel.name, wanted, health, now))
            placed = [(event, _state(channel, event, now, zone)) for event in told]
            outbox.add(connection, channel.name, [*placed, *_digest(connection, channel, health, now, zone)], now)


def _worth_telling(
    connection: Connection, channel: str, events: Sequence[Event], health: Health, now: datetime
) -> Iterator[Event]:
    """Without the end of what was never told here: "fixed" alone tells nobody anything."""
    ended = [event.about for event in events if event.what is What.FIXED]
    states = outbox.told_about(connection, channel, ended) if ended else {}
    in_vain = []
    for event in events:
        known = states.get(event.about, set())
        if event.what is not What.FIXED or known & {"held", *outbox.ON_ITS_WAY}:
            yield event
        elif "pending" in known:
            in_vain.append(event.about)
        elif not known and event.started_at is not None and event.started_at <= health.started_at:
            yield event  # it stood in the channel's first message
    outbox.drop_waiting(connection, channel, in_vain, now)


def _state(channel: ChannelSettings, event: Event, now: datetime, zone: ZoneInfo) -> str:
    return "held" if is_held(channel, event.severity, now, zone) else "pending"


def _start(connection: Connection, channel: ChannelSettings, now: datetime) -> Event:
    return _standing(connection, channel, What.START, "start", now, {})


def _digest(
    connection: Connection, channel: ChannelSettings, health: Health, now: datetime, zone: ZoneInfo
) -> list[tuple[Event, str]]:
    due = digest_due(channel, now, zone, timedelta(hours=rules().digest_late_hours))
    if due is None or due[1] < health.started_at or not has_digest(channel):
        return []
    key = f"digest {due[0]}"
    if outbox.is_known(connection, channel.name, key):
        return []
    return [(_standing(connection, channel, What.DIGEST, key, now, {"day": due[0]}), "pending")]


def _standing(
    connection: Connection, channel: ChannelSettings, what: What, key: str, now: datetime, more: dict[str, Any]
) -> Event:
    """A message on what is open now, as far as the channel wants to hear of it."""
    there = [entry for entry in _open(connection, now) if is_wanted(_as_event(entry, what, now), channel)]
    counts = {name: sum(1 for one in there if one.finding.severity is rank) for rank, name in _PLURAL.items()}
    top = [facts_of(entry, now) for entry in there[: rules().most_named]]
    facts = {"counts": counts, "top": top, **more}
    return Event(key, "", what, what.value, Severity.INFO, "", "", now, facts)


def _open(connection: Connection, now: datetime) -> list[LedgerEntry]:
    found = rows.read(connection, rows.gravest_first(select(findings).where(rows.unresolved())), now)
    return [entry for entry in found if entry.state in OPEN]


def _as_event(entry: LedgerEntry, what: What, now: datetime) -> Event:
    """Only what tells whether the channel wants it."""
    finding = entry.finding
    kind = rules().kind_of(finding.code)
    return Event("", "", what, kind, finding.severity, finding.code, finding.subject.scope, now, {})
