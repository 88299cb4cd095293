"""When one failure hits many pipelines at once, the outside is down: one finding, and no re-runs until it ends.

An outage ends when what follows passes: a pipeline that began after the last failure and got through the step that had
failed. That nothing fails any more is no sign, since at night, or while re-runs are held back, nothing runs. So after
a quiet while one re-run at a time is let through to try.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

MORE_THAN_PIPELINES = 5
WINDOW = timedelta(minutes=10)
"""More than five different pipelines within ten minutes: the breaker that CI platforms use against retry storms."""

QUIET = timedelta(minutes=20)
"""This long after the last sighting a first re-run may try: twice the window, so that a lull does not invite one."""

LOOK_BACK = timedelta(hours=96)
"""How far back sightings are worth asking for: over a long weekend nothing may run that could end an outage."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A signature explained the failure of a pipeline. ``pipeline_key`` is one execution ("acme/shop#42")."""

    signature: str
    pipeline_key: str
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """A pipeline that began at ``started_at`` got through what the signature had failed."""

    signature: str
    pipeline_key: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Outage:
    """Still going on. ``pipelines`` are all that it hit, in the order they were seen."""

    signature: str
    started_at: datetime
    last_seen_at: datetime
    pipelines: tuple[str, ...]

    @property
    def tried_from(self) -> datetime:
        """When a first re-run may try whether it is over, if nothing more is seen until then."""
        return self.last_seen_at + QUIET

    def hit(self, repository: str) -> bool:
        """Whether one of the pipelines is of this repository ("acme/shop")."""
        return any(key.startswith(f"{repository}#") for key in self.pipelines)


def outages(sightings: Iterable[Sighting], now: datetime, passes: Iterable[Passed] = ()) -> tuple[Outage, ...]:
    """The outages going on at ``now``, by signature. A sighting from the future (a clock was set back) is left out."""
    ended: dict[str, datetime] = {}
    for one in passes:
        ended[one.signature] = max(one.started_at, ended.get(one.signature, one.started_at))
    by_signature: dict[str, list[Sighting]] = defaultdict(list)
    for sighting in sorted(sightings, key=lambda sighting: sighting.seen_at):
        before = ended.get(sighting.signature)
        if sighting.seen_at <= now and (before is None or sighting.seen_at > before):
            by_signature[sighting.signature].append(sighting)
    found = (_outage(by_signature[signature]) for signature in sorted(by_signature))
    return tuple(outage for outage in found if outage is not None)


def _outage(seen: list[Sighting]) -> Outage | None:
    """Everything from the first dense window on: nothing has passed since."""
    first = _first_dense(seen)
    if first is None:
        return None
    hit = seen[first:]
    pipelines = tuple(dict.fromkeys(sighting.pipeline_key for sighting in hit))
    return Outage(hit[0].signature, hit[0].seen_at, hit[-1].seen_at, pipelines)


def _first_dense(seen: list[Sighting]) -> int | None:
    """Where the first window with enough different pipelines begins, in one pass."""
    inside: dict[str, int] = defaultdict(int)
    first = 0
    for sighting in seen:
        inside[sighting.pipeline_key] += 1
        while sighting.seen_at - seen[first].seen_at > WINDOW:
            leaving = seen[first].pipeline_key
            inside[leaving] -= 1
            if not inside[leaving]:
                del inside[leaving]
            first += 1
        if len(inside) > MORE_THAN_PIPELINES:
            return first
    return None
