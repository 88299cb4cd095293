"""Adds up what the database has counted. Pure.

A measure's values come as (value, how often), so that a month of builds is a few thousand pairs: durations are whole
seconds. Percentiles of them are those of all values, interpolated between the two nearest (type 7 of Hyndman and Fan,
as numpy and pandas have it).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from opscrew.measures.catalogue import How
from opscrew.measures.query import FEW, Value

QUANTILES: dict[How, float] = {"p50": 0.5, "p95": 0.95}


@dataclass
class Sum:
    """What is known of one measure in one group. ``values`` are counted only where a percentile is asked for."""

    rows: int = 0
    part: int = 0
    total: float = 0.0
    highest: float | None = None
    values: Counter[float] = field(default_factory=Counter)

    def add(self, other: Sum) -> None:
        """Takes in another group."""
        self.rows += other.rows
        self.part += other.part
        self.total += other.total
        highest = [one for one in (self.highest, other.highest) if one is not None]
        self.highest = max(highest, default=None)
        self.values.update(other.values)

    def told_as(self, how: How, *, reported: bool = False) -> Value:
        """The number; None where there is nothing to tell it from. ``reported``: no row at all is no sum of 0."""
        if how in ("count", "last"):
            return Value(self.rows, self.rows)
        if how == "share":
            return Value(self.part / self.rows if self.rows else None, self.rows, self.part)
        if how == "sum":
            return Value(self.total if self.rows or not reported else None, self.rows)
        if how == "mean":
            return Value(self.total / self.rows if self.rows else None, self.rows)
        if how == "max":
            return Value(self.highest, self.rows)
        if self.rows < FEW:
            return Value(None, self.rows, runs=tuple(sorted(self.values.elements())))
        return Value(percentile(self.values, QUANTILES[how]), self.rows)


Sums = dict[tuple[str, ...], list[Sum]]
"""By the names of a group: one for each column."""


def percentile(values: Counter[float], quantile: float) -> float:
    """The value below which that share of all values lies. There must be one."""
    place = (values.total() - 1) * quantile
    low, high = _at(values, math.floor(place), math.ceil(place))
    return low + (high - low) * (place - math.floor(place))


def _at(values: Counter[float], low: int, high: int) -> tuple[float, float]:
    """The values at two places (from 0) of all of them in order."""
    passed, found = 0, []
    wanted = [low, high]
    for value in sorted(values):
        passed += values[value]
        while wanted and passed > wanted[0]:
            found.append(value)
            wanted.pop(0)
        if not wanted:
            break
    return found[0], found[1]
