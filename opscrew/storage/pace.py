"""At which pace a volume grows at present, for how long, and whether that is new to it.

A line through the latest values, by the median of the slopes between all pairs of them (Theil and Sen), which a few odd
values do not turn. The pace is new where hardly any stretch of the past of the same length grew like it; then what the
past did says little of what comes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

FEWEST_STEPS = 2
"""One step is an import or a backup; two alike are the beginning of a pace."""
MOST_POINTS = 40
"""Of a long stretch so many, evenly spaced: all pairs of more would be slow and not truer."""
LONGER = 1.25
"""Stretches are tried from short to long, each longer by this factor."""
MOST_MISSES = 3
CROOKED, SWINGING, ODD = 0.06, 0.2, 0.15
"""A line fits as long as values are no farther from it than this share of what it climbs, or than the noise; a stretch
that goes back over rhythms and stairs may swing by the second. A share of the values may be odd, as a backup makes them
that comes and goes."""
NOISE = 4.0
"""Times the usual noise from one value to the next, beyond which nothing is noise."""
LEAPS = 0.7
"""Where more than this share of a growth lies in one half of the stretch, it is a leap and no pace."""
ALIKE = 0.6
"""A stretch of the past grew like now from this share of its growth on."""
SELDOM = 0.02
"""New is a pace that this share of the past's stretches, or fewer, had."""
QUICKENS, CLEARLY = 1.2, 20.0
"""The second half of a stretch climbs by this factor more than the first, and each by so many times the noise."""
FEWEST_HALF = 5
LEAST_NOISE = 0.001
"""Of all that the values span: a series that mostly moves in even steps has its noise elsewhere."""
PEAKS = 0.95
FARTHEST = 400
"""Steps that are looked back for rhythms."""


@dataclass(frozen=True)
class Pace:
    """``slope`` in bytes a step, now; ``quickens`` is the share by which it grows each step, 0 for a straight line;
    ``steps`` is how long it has lasted. ``swing`` are the bytes by which peaks reach above the latest value's line.
    ``is_all``: so for most of what is known."""

    slope: float
    steps: int
    quickens: float = 0.0
    swing: float = 0.0
    is_new: bool = False
    is_all: bool = False

    def steps_for(self, need: float) -> float:
        """How many steps until it has climbed ``need`` bytes; infinite where it does not climb."""
        if self.slope <= 0:
            return float("inf")
        straight = max(need - self.swing, 0.0) / self.slope
        return float(np.log1p(self.quickens * straight) / self.quickens) if self.quickens else straight


def read_pace(used: Floats) -> Pace:
    """Of at least three values, oldest first and evenly spaced."""
    noise = _noise(used)
    steps = _longest(used, noise, CROOKED, MOST_MISSES)
    if steps >= FEWEST_STEPS and _is_new(used, steps, noise):
        return _pace(used, steps, noise, is_new=True)
    recent = used[-FARTHEST:]
    if float(np.median(np.maximum.accumulate(recent) - recent)) > NOISE * noise:
        steps = max(steps, _longest(recent, noise, SWINGING, FARTHEST))
    return _pace(used, steps, noise, is_new=False)


def _pace(used: Floats, steps: int, noise: float, *, is_new: bool) -> Pace:
    values = used[-1 - steps :]
    slope, apart = _line(values)
    quickens = _quickening(values, noise)
    if quickens:
        slope = _line(values[-1 - steps // 2 :])[0] * float(np.exp(quickens * (steps // 2) / 2))
    fallen = float(np.median(np.maximum.accumulate(values) - values))
    swing = max(0.0, min(fallen, float(np.quantile(apart, PEAKS) - apart[-1])))
    is_all = steps >= FEWEST_STEPS and 2 * steps >= len(used) - 1
    return Pace(slope, steps, quickens, swing, is_new, is_all)


def _quickening(values: Floats, noise: float) -> float:
    """The share by which the slope grows each step, where both halves are clear lines and the later one is steeper."""
    half = (len(values) - 1) // 2
    if half < FEWEST_HALF:
        return 0.0
    slopes = []
    for part in (values[: half + 1], values[-1 - half :]):
        slope, apart = _line(part)
        if slope * half <= CLEARLY * noise or float(np.ptp(apart)) > CROOKED * slope * half + NOISE * noise:
            return 0.0
        slopes.append(slope)
    steeper = slopes[1] / slopes[0]
    return float(np.log(steeper)) / (len(values) - 1 - half) if QUICKENS < steeper < LEAPS * 10 else 0.0


def _noise(used: Floats) -> float:
    """Standard deviation of one value, from second differences: a trend of any slope leaves none."""
    return max(float(1.4826 * np.median(np.abs(np.diff(used, 2))) / np.sqrt(6)), LEAST_NOISE * float(np.ptp(used)))


def _longest(used: Floats, noise: float, crooked: float, misses: int) -> int:
    """Steps of the longest stretch up to now that is a line; it ends where so many longer ones in a row are none."""
    found, length, missed = 1, FEWEST_STEPS, 0
    while missed < misses and length < len(used):
        values = used[-1 - length :]
        slope, apart = _line(values)
        off = float(np.quantile(np.abs(apart - np.median(apart)), 1 - ODD))
        climb = abs(slope) * length
        if off <= max(NOISE * noise, crooked * climb) and _is_even(values, climb, noise):
            found, missed = length, 0
        else:
            missed += 1
        length = max(length + 1, int(length * LONGER))
    return found


def _line(values: Floats) -> tuple[float, Floats]:
    """Its slope, and how far values lie from one through the first."""
    at = np.unique(np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).round().astype(int))
    some = values[at]
    first, second = np.triu_indices(len(at), 1)
    slope = float(np.median((some[second] - some[first]) / (at[second] - at[first])))
    return slope, values - slope * np.arange(len(values))


def _is_even(values: Floats, climb: float, noise: float) -> bool:
    """Whether both halves of the stretch climb."""
    if climb <= NOISE * noise:
        return True
    first, middle, last = (float(np.median(part)) for part in np.array_split(values, 3))
    return last != first and 1 - LEAPS <= (middle - first) / (last - first) <= LEAPS


def _is_new(used: Floats, steps: int, noise: float) -> bool:
    """Whether hardly any stretch of the past grew as much, or as little. A part of the length is compared: a few odd
    values at its beginning may have made it too long."""
    slope = _line(used[-1 - steps :])[0]
    earlier, length = used[: len(used) - steps], max(FEWEST_STEPS, int(steps * (1 - 2 * ODD)))
    if len(earlier) <= length:
        return False
    grown, climb = earlier[length:] - earlier[:-length], slope * length
    usual = float(np.median(grown))
    if abs(climb - usual) <= NOISE * noise:
        return False
    alike = grown >= usual + ALIKE * (climb - usual) if climb > usual else grown <= usual + ALIKE * (climb - usual)
    return float(np.mean(alike)) <= SELDOM
