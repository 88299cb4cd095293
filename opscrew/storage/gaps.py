"""Bridges what was not measured in a series: absent values, no numbers, and a single zero between full ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

EMPTIED = 0.01
"""A zero is a gap where its neighbours hold more than this share of the highest value: nobody empties a volume and
fills it again within one step, and an exporter that just started says zero."""


@dataclass(frozen=True)
class Bridged:
    """``values`` without what was missing before the first and after the last one that is known; ``count`` of them are
    bridged; ``stale`` is how many were missing at the end."""

    values: tuple[float, ...]
    count: int = 0
    stale: int = 0

    @property
    def note(self) -> str:
        """For people; empty where nothing was missing."""
        parts = []
        if self.count:
            parts.append(f"{self.count} missing value{'s' if self.count > 1 else ''} bridged")
        if self.stale:
            last = "last value is" if self.stale == 1 else f"last {self.stale} values are"
            parts.append(f"the {last} missing or a lone zero, so this looks ahead from before")
        return "; ".join(parts)


def bridge(values: Sequence[float | None]) -> Bridged:
    """A straight line over each gap. Negative values and infinities are left in: they are no gaps, but mistakes."""
    numbers = np.array([np.nan if value is None else float(value) for value in values])
    known = list(~np.isnan(numbers))
    for place in _single_zeros(numbers):
        known[place] = False
    places = [place for place, is_known in enumerate(known) if is_known]
    if not places:
        return Bridged(())
    first, last = places[0], places[-1]
    if not all(isfinite(numbers[place]) for place in places):
        return Bridged(tuple(numbers[first : last + 1].tolist()))
    line = np.interp(np.arange(first, last + 1), places, numbers[places])
    return Bridged(tuple(line.tolist()), last - first + 1 - len(places), len(values) - 1 - last)


def _single_zeros(numbers: np.ndarray) -> list[int]:
    """Zeros with a value on each side that there is. The first value of all may be a zero: so begins a volume."""
    known = np.flatnonzero(~np.isnan(numbers))
    least = EMPTIED * np.nanmax(numbers) if len(known) else 0.0
    found = []
    for index in range(1, len(known)):
        before, after = numbers[known[index - 1]], numbers[known[index + 1]] if index + 1 < len(known) else np.inf
        if numbers[known[index]] == 0 and before > least and after > least:
            found.append(int(known[index]))
    return found
