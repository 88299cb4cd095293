"""Picks the events that explain a problem, and digests all of them for the summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.records import Event, Resource


def recent_warnings(snapshot: Snapshot, resource: Resource, reasons: Iterable[str] = ()) -> list[Event]:
    """Its warnings within the event window, newest first; only those reasons where any are named."""
    wanted = frozenset(reasons)
    window = seconds(thresholds().event_window_seconds)
    return [
        event
        for event in reversed(snapshot.events_of(resource))
        if event.type == "Warning"
        and (not wanted or event.reason in wanted)
        and snapshot.age(event.last_seen) <= window
    ]


def event_line(event: Event) -> str:
    """One line for a person: reason, how often, message."""
    times = f" x{event.count}" if event.count > 1 else ""
    return f"event {event.reason}{times}: {event.message.strip()}"


@dataclass(frozen=True)
class EventGroup:
    """Warnings of one reason on one kind: how often, on how many objects, and one of their messages."""

    kind: str
    reason: str
    times: int
    objects: int
    last_seen: datetime | None
    example: str


def digest(events: Iterable[Event], limit: int = 10) -> list[EventGroup]:
    """The most frequent kinds of warnings, most frequent first."""
    times: Counter[tuple[str, str]] = Counter()
    objects: dict[tuple[str, str], set[tuple[str, str]]] = {}
    newest: dict[tuple[str, str], Event] = {}
    for event in events:
        if event.type != "Warning":
            continue
        group = (event.subject.kind, event.reason)
        times[group] += event.count
        objects.setdefault(group, set()).add((event.subject.namespace, event.subject.name))
        if group not in newest or _when(event) >= _when(newest[group]):
            newest[group] = event
    return [
        EventGroup(*group, count, len(objects[group]), newest[group].last_seen, newest[group].message.strip()[:200])
        for group, count in times.most_common(limit)
    ]


def _when(event: Event) -> float:
    return event.last_seen.timestamp() if event.last_seen else 0
