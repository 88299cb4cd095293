"""When one failure hits many pipelines at once, the outside is down: one finding, and no re-runs until it ends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

MORE_THAN_PIPELINES = 5
WINDOW = timedelta(minutes=10)
"""More than five different pipelines within ten minutes: the breaker that CI platforms use against retry storms."""

QUIET = timedelta(minutes=20)
"""An outage ends after this long without a new sighting: twice the window, so that a lull does not end it."""

LOOK_BACK = timedelta(hours=24)
"""How far back sightings are worth asking for: an outage that lasts longer than a day still has recent ones."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A signature explained the failure of a pipeline. ``pipeline_key`` is one execution ("acme/shop#42")."""

    signature: str
    pipeline_key: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """Still going on. ``pipelines`` are all that it hit, in the order they were seen."""

    signature: str
    started_at: datetime
    last_seen_at: datetime
    pipelines: tuple[str, ...]

    @property
    def ends_at(self) -> datetime:
        """When it will count as over, if nothing more is seen."""
        return self.last_seen_at + QUIET


def outages(sightings: Iterable[Sighting], now: datetime) -> tuple[Outage, ...]:
    """The outages going on at ``now``, by signature. A sighting from the future (a clock was set back) is left out."""
    by_signature: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sorted(sightings, key=lambda sighting: sighting.seen_at):
        if sighting.seen_at <= now:
            by_signature[sighting.signature].append(sighting)
    found = (_current(by_signature[signature], now) for signature in sorted(by_signature))
    return tuple(outage for outage in found if outage is not None)


def _current(seen: list[Sighting], now: datetime) -> Outage | None:
    """Looks at the last stretch without a pause of ``QUIET``: it is an outage once it was dense enough."""
    if now - seen[-1].seen_at >= QUIET:
        return None
    start = len(seen) - 1
    while start > 0 and seen[start].seen_at - seen[start - 1].seen_at < QUIET:
        start -= 1
    stretch = seen[start:]
    first = _first_dense(stretch)
    if first is None:
        return None
    hit = stretch[first:]
    pipelines = tuple(dict.fromkeys(sighting.pipeline_key for sighting in hit))
    return Outage(hit[0].signature, hit[0].seen_at, hit[-1].seen_at, pipelines)


def _first_dense(stretch: list[Sighting]) -> int | None:
    """Where the first window with enough different pipelines begins, in one pass over the stretch."""
    inside: dict[str, int] = defaultdict(int)
    first = 0
    for sighting in stretch:
        inside[sighting.pipeline_key] += 1
        while sighting.seen_at - stretch[first].seen_at > WINDOW:
            leaving = stretch[first].pipeline_key
            inside[leaving] -= 1
            if not inside[leaving]:
                del inside[leaving]
            first += 1
        if len(inside) > MORE_THAN_PIPELINES:
            return first
    return None
