"""How one finding moves between new, ongoing, flapping and resolved: a pure function over what was seen.

Suppression is no state of its own: it lies over the others for a time and ends by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from opscrew.strict_yaml import read_strictly

LIFETIMES_FILE = Path(__file__).with_name("lifetimes.yaml")


class FindingState(StrEnum):
    """Where a finding stands."""

    NEW = "new"  # seen for the first time, or again after it was gone
    ONGOING = "ongoing"  # seen at least twice in a row
    FLAPPING = "flapping"  # comes and goes; it stays in this state until it has been calm
    RESOLVED = "resolved"  # every source that saw it has answered and no longer sees it
    SUPPRESSED = "suppressed"  # still there, and a person asked not to be told for a time


OPEN = (FindingState.NEW, FindingState.ONGOING, FindingState.FLAPPING)
"""The states of a problem that is there and not muted."""


@dataclass(frozen=True)
class Lifetimes:
    """The thresholds of ``lifetimes.yaml``, which explains them."""

    flapping_changes: int
    flapping_window: timedelta
    flapping_calm: timedelta
    keep: timedelta
    keep_unseen: timedelta


@dataclass(frozen=True)
class Life:
    """``present``: is it there now? ``changed_at``: when that last changed."""

    state: FindingState
    present: bool
    changed_at: datetime


@cache
def lifetimes() -> Lifetimes:
    """The thresholds. A missing key is an error, not a silent default."""
    loaded = read_strictly(LIFETIMES_FILE)[0]
    flapping = loaded["flapping"]
    return Lifetimes(
        flapping_changes=int(flapping["changes"]),
        flapping_window=timedelta(hours=float(flapping["window_hours"])),
        flapping_calm=timedelta(hours=float(flapping["calm_hours"])),
        keep=timedelta(days=float(loaded["keep_days"])),
        keep_unseen=timedelta(days=float(loaded["keep_unseen_days"])),
    )


def next_life(life: Life | None, present: bool, now: datetime, recent_changes: int, limits: Lifetimes) -> Life:
    """What becomes of a finding after a look that found it there (``present``) or certainly gone.

    ``life`` is ``None`` for one never seen before. ``recent_changes`` counts how often it came or went within
    ``limits.flapping_window``, without this look.
    """
    if life is None:
        return Life(FindingState.NEW, present=True, changed_at=now)
    changed = present != life.present
    since = now if changed else life.changed_at
    settled = FindingState.ONGOING if present else FindingState.RESOLVED
    if life.state is FindingState.FLAPPING:
        calm = not changed and now - life.changed_at >= limits.flapping_calm
        return Life(settled if calm else FindingState.FLAPPING, present, since)
    if not changed:
        return Life(settled, present, since)
    if recent_changes + 1 >= limits.flapping_changes:
        return Life(FindingState.FLAPPING, present, since)
    return Life(FindingState.NEW if present else FindingState.RESOLVED, present, since)
