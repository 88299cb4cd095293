"""Will a volume be full within a horizon, how likely, and when?

Two answers, weighed. The past's: of all stretches of it as long as the horizon, which share grew by more than what is
free now? Steps, plateaus and clean-up saw-teeth are in it as they happened, and a volume that has stood at 90 % for
months never grew, so it does not alarm. And the present pace's (``pace.py``): a little always, nearly alone where the
pace has lasted and is new to the volume, or where there is no other past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from opscrew.storage.pace import Pace, read_pace
from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("forecast.yaml")
FEWEST_VALUES = 3
DAY = timedelta(days=1)
LEAST_CHANCE, DECIMAL_BELOW = 0.01, 10
NEVER_NOTHING = 1e-3
"""Weight of a stretch that is like now in no way, so that there is always something to judge by."""
Floats = npt.NDArray[np.float64]
SPREAD: Floats = np.array([-1.881, -1.226, -0.842, -0.553, -0.306, -0.100, 0.100, 0.306, 0.553, 0.842, 1.226, 1.881])
"""A dozen quantiles of the normal distribution, evenly likely."""


class ForecastRules(BaseModel):
    """The numbers of ``forecast.yaml``, explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    relative_half_life: float = Field(gt=0)
    absolute_half_life: float = Field(gt=0)
    fills_from: float = Field(gt=0, lt=1)
    farthest_days: float = Field(gt=0)
    tooth_days: float = Field(gt=0)
    tooth_share: float = Field(gt=0)
    pace_usual: float = Field(ge=0, le=1)
    pace_new: float = Field(ge=0, le=1)
    pace_spread_usual: float = Field(gt=0)
    pace_spread_new: float = Field(gt=0)
    most_steps_ahead: int = Field(ge=1)
    most_steps_past: int = Field(ge=FEWEST_VALUES)


@cache
def forecast_rules() -> ForecastRules:
    """The rules as shipped."""
    return load_strictly(RULES_FILE, ForecastRules)


@dataclass(frozen=True)
class Forecast:
    """``probability`` of being full within the horizon, 0 to 1.

    ``days_to_full`` holds the 10th, 50th and 90th percentile; None where that share of the past leads nowhere near.
    """

    fills: bool
    probability: float
    days_to_full: tuple[float | None, float | None, float | None]


def chance(probability: float) -> str:
    """In words that claim no more than is known: nothing that is forecast is sure, or sure not to be."""
    if probability < LEAST_CHANCE:
        return f"below {LEAST_CHANCE:.0%}"
    return f"above {1 - LEAST_CHANCE:.0%}" if probability > 1 - LEAST_CHANCE else f"{probability:.0%}"


def day(days: float | None) -> str:
    """Days to full for people; shorter ones than ten with a decimal. None is farther than anybody can say."""
    if days is None:
        return "not foreseeable"
    return f"{days:.1f}" if days < DECIMAL_BELOW else f"{days:.0f}"


@dataclass(frozen=True)
class Way:
    """One way of reading the past: how much each stretch counts, how far it grew, and what it had kept at its end. A
    saw-tooth grows again and again and keeps nothing."""

    weight: Floats
    growth: Floats
    kept: Floats


def forecast(
    values: Sequence[float], step: timedelta, capacity: float, horizon: timedelta, rules: ForecastRules | None = None
) -> Forecast:
    """``values`` are used bytes, oldest first, one per ``step``; ``capacity`` is in bytes.

    Raises ``ValueError`` with fewer than three values, or a horizon shorter than a step.
    """
    rules = rules or forecast_rules()
    used = np.asarray(values, dtype=np.float64)
    if len(used) < FEWEST_VALUES:
        raise ValueError(f"a forecast needs at least {FEWEST_VALUES} values, not {len(used)}")
    if not np.all(np.isfinite(used)) or np.any(used < 0):
        raise ValueError("values must be numbers of bytes")
    ahead = int(horizon / step)
    if ahead < 1:
        raise ValueError("the horizon is shorter than one step")
    used, step = _coarser(used, step, ahead, rules)
    ahead = int(horizon / step)
    need = capacity - used[-1]
    if need <= 0:
        return Forecast(True, 1.0, (0.0, 0.0, 0.0))
    # A young volume is read in shorter stretches, whose growth is then taken as many times as they fit.
    window = min(ahead, max(1, len(used) // 2))
    times = ahead / window
    start, peak, end, first = _past_windows(used, window, need / times)
    age_days: Floats = np.arange(len(start) - 1, -1, -1, dtype=np.float64) * float(step / DAY)
    likeness = _likeness(used, len(start), capacity, int(rules.tooth_days * DAY / step), rules.tooth_share)
    relative = used[-1] / np.maximum(start, 1.0)
    ways = tuple(
        Way(_weights(age_days, half_life, likeness), (peak - start) * times * scale, (end - start) * times * scale)
        for half_life, scale in ((rules.relative_half_life, relative), (rules.absolute_half_life, np.float64(1.0)))
    )
    horizon_days = ahead * float(step / DAY)
    days, weights = _days_by_past(ways, need, first, horizon_days, is_young=times > 1)
    pace = read_pace(used)
    belief = rules.pace_new if pace.is_new or pace.is_all else rules.pace_usual
    pace_days = _days_by_pace(pace, need, float(step / DAY), rules)
    all_days = np.concatenate([days, pace_days])
    all_weights = np.concatenate([weights * (1 - belief), np.full(len(pace_days), belief / len(pace_days))])
    by_past = float(np.mean([np.sum(way.weight * (way.growth >= need)) for way in ways]))
    by_pace = float(np.mean(pace_days <= horizon_days))
    probability = (1 - belief) * by_past + belief * by_pace
    told = _quantiles(all_days, all_weights, rules.farthest_days)
    return Forecast(probability >= rules.fills_from, round(probability, 4), told)


def _coarser(used: Floats, step: timedelta, ahead: int, rules: ForecastRules) -> tuple[Floats, timedelta]:
    """Every so-manieth value with the latest among them, where there are more than anybody needs: work and memory grow
    with the values times the steps ahead. A short past keeps what it has."""
    times = min(-(-ahead // rules.most_steps_ahead), max(1, len(used) // (2 * rules.most_steps_ahead)))
    return used[::-1][::times][: rules.most_steps_past][::-1], step * times


def _past_windows(used: Floats, window: int, need: float) -> tuple[Floats, Floats, Floats, Floats]:
    """For each stretch of the past: where it began, its highest value after that, its last one, and the share of the
    stretch after which it had grown by ``need`` (infinite where it had not)."""
    ahead = np.lib.stride_tricks.sliding_window_view(used[1:], window)
    start = used[: len(ahead)]
    reached = ahead - start[:, None] >= need
    first = np.where(reached.any(axis=1), (reached.argmax(axis=1) + 1) / window, np.inf)
    return start, ahead.max(axis=1), ahead[:, -1], first


def _likeness(used: Floats, count: int, capacity: float, steps: int, share: float) -> Floats:
    """How much each stretch's beginning is like now, 0 to 1, by how far it lay below its own latest high.

    A saw-tooth that was just cleaned up grows like other stretches after a clean-up, not like those near its top.
    Where nothing ever falls, all are alike.
    """
    padded = np.concatenate([np.full(max(steps, 1) - 1, used[0]), used])
    fallen = np.lib.stride_tricks.sliding_window_view(padded, max(steps, 1)).max(axis=1) - used
    distance = (fallen[:count] - fallen[-1]) / (share * capacity)
    return np.asarray(np.exp(-(distance**2)) + NEVER_NOTHING, dtype=np.float64)


def _weights(age_days: Floats, half_life: float, likeness: Floats) -> Floats:
    weight = np.power(0.5, age_days / half_life) * likeness
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _days_by_past(
    ways: tuple[Way, ...], need: float, first: Floats, horizon_days: float, *, is_young: bool
) -> tuple[Floats, Floats]:
    """Each stretch tells a day, with its weight: when it had grown enough, or else when it would have by what it kept
    of its growth. The stretches of a young volume are too short to have a day of their own."""
    days, weights = [], []
    for way in ways:
        with np.errstate(divide="ignore"):
            at_its_pace = np.where(way.kept > 0, need / np.maximum(way.kept, 1e-9), np.inf)
        sooner = np.minimum(np.where(np.isfinite(first), first, at_its_pace), 1.0)
        reached = np.zeros(len(at_its_pace), bool) if is_young else way.growth >= need
        days.append(np.where(reached, sooner, at_its_pace) * horizon_days)
        weights.append(way.weight / len(ways))
    return np.concatenate(days), np.concatenate(weights)


def _days_by_pace(pace: Pace, need: float, step_days: float, rules: ForecastRules) -> Floats:
    """Days at the present pace, spread as paces are: about as often so much faster as so much slower."""
    spread = rules.pace_spread_new if pace.is_new or pace.is_all else rules.pace_spread_usual
    return np.asarray(pace.steps_for(need) * step_days * np.exp(spread * SPREAD), dtype=np.float64)


def _quantiles(days: Floats, weights: Floats, farthest_days: float) -> tuple[float | None, float | None, float | None]:
    order = np.argsort(days)
    summed = np.cumsum(weights[order])

    def quantile(share: float) -> float | None:
        day = float(days[order][min(int(np.searchsorted(summed, share)), len(order) - 1)])
        return round(day, 2) if day <= farthest_days else None

    return quantile(0.1), quantile(0.5), quantile(0.9)
