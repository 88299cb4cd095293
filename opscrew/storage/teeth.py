"""Saw-teeth: volumes that somebody, or something, cleans up again and again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from opscrew.storage.rules import StorageRules, storage_rules
from opscrew.storage.volume import DAY, Past, Volume


@dataclass(frozen=True)
class Habit:
    """``pause`` is the time since the last clean-up and ``longest`` the longest there ever was between two, in days."""

    pause: float
    longest: float
    highest: float
    """The highest use before the last clean-up, in bytes."""

    @property
    def overdue(self) -> bool:
        return self.pause > storage_rules().overdue_times * self.longest


def clean_ups(past: Past, capacity: float, rules: StorageRules) -> list[int]:
    """Positions at which use fell so far that it was a clean-up."""
    least = capacity * rules.clean_up_percent / 100
    steps = enumerate(itertools.pairwise(past.values), start=1)
    return [index for index, (before, after) in steps if before - after >= least]


def read_habit(volume: Volume) -> Habit | None:
    """None where clean-ups are too few to be a habit."""
    rules, past = storage_rules(), volume.past
    found = clean_ups(past, volume.usable, rules)
    if len(found) < max(2, rules.clean_ups):
        return None
    days = past.step / DAY
    longest = max(later - earlier for earlier, later in itertools.pairwise(found))
    return Habit((len(past.values) - 1 - found[-1]) * days, longest * days, max(past.values[: found[-1]]))


def is_usual_tooth(volume: Volume) -> bool:
    """It stands where it often stood before a clean-up, and the next one is not overdue."""
    habit = read_habit(volume)
    if habit is None or habit.overdue:
        return False
    return volume.past.values[-1] <= habit.highest * (1 + storage_rules().sprint_above_percent / 100)
