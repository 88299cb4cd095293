"""A growth series as people hand it over, checked before anything is worked out from it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from opscrew.errors import UsageError
from opscrew.storage.forecast import FEWEST_VALUES, Forecast, forecast
from opscrew.storage.gaps import Bridged, bridge

DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(m|h|d|w)")
UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
LONGEST = timedelta(days=36_525)
"""A century; longer steps and horizons are slips of the keyboard, and some do not fit into any number of days."""
MOST_BYTES = 1e24
"""More than all disks of the world; sums of larger numbers would leave what a float can hold."""
MOST_STEPS = 100_000
"""Steps from now to the horizon; more than that is a mistake in one of the two."""


class BadSeriesError(ValueError):
    """One line cannot be used; the message says why, without the line's number."""


MOST_MISSING = 0.5
"""Share of the values; a line over more than that is drawn, not measured."""


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    id: str | int
    values: list[Annotated[float, Field(ge=0, le=MOST_BYTES, allow_inf_nan=False)] | None]
    step: str = "1d"
    capacity: Annotated[float, Field(gt=0, le=MOST_BYTES, allow_inf_nan=False)]

    @field_validator("values", mode="before")
    @classmethod
    def _missing_is_null(cls, values: Any) -> Any:
        """NaN, as number or as Prometheus writes it, and null are values that were not measured."""
        if not isinstance(values, list):
            return values
        return [None if one in ("NaN", "nan", "") or one != one else one for one in values]


@dataclass(frozen=True)
class Series:
    """``past`` are used bytes, oldest first, one per ``step``; ``capacity`` in bytes."""

    id: str
    past: Bridged
    step: timedelta
    capacity: float

    def forecast(self, horizon: timedelta) -> Forecast:
        """Raises ``BadSeriesError`` where the values do not carry a forecast."""
        if horizon / self.step > MOST_STEPS:
            raise BadSeriesError("the horizon has more than 100,000 steps")
        try:
            return forecast(self.past.values, self.step, self.capacity, horizon)
        except ValueError as problem:
            raise BadSeriesError(str(problem)) from problem


def read_series(line: str) -> Series:
    """Raises ``BadSeriesError`` with the first thing that is wrong."""
    try:
        parsed = _Line.model_validate(json.loads(line))
        step = parse_duration(parsed.step, "step")
    except json.JSONDecodeError as problem:
        raise BadSeriesError(f"not JSON: {problem.msg}") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the line"
        raise BadSeriesError(f"{place}: {first['msg']}") from problem
    except UsageError as problem:
        raise BadSeriesError(problem.message) from problem
    except (ValueError, RecursionError) as problem:  # a number of thousands of digits, or brackets without end
        raise BadSeriesError("not JSON that can be read: a number too long or nested too deeply") from problem
    past = bridge(parsed.values)
    missing = len(parsed.values) - sum(one is not None for one in parsed.values)
    if len(past.values) - past.count < FEWEST_VALUES:
        raise BadSeriesError(f"a forecast needs at least {FEWEST_VALUES} values, not {len(past.values) - past.count}")
    if missing > MOST_MISSING * len(parsed.values):
        raise BadSeriesError(f"{missing} of {len(parsed.values)} values are missing; at most half of them may be")
    if past.stale >= max(FEWEST_VALUES, len(past.values)):
        raise BadSeriesError(f"the last {past.stale} values are missing: there is no present to look ahead from")
    return Series(str(parsed.id), past, step, parsed.capacity)


def parse_duration(text: str, what: str) -> timedelta:
    """ "14d", "36h", "30m", "2w". Raises ``UsageError`` naming ``what``."""
    found = DURATION.fullmatch(text.strip())
    try:
        duration = float(found[1]) * UNITS[found[2]] if found else timedelta(0)
    except OverflowError:
        duration = LONGEST + UNITS["d"]
    if duration > LONGEST:
        raise UsageError(f"{what}: {text[:40]!r} is longer than a century", "Write a shorter one, such as 14d.")
    if duration <= timedelta(0):
        raise UsageError(f"{what}: {text!r} is no duration", "Write a number and m, h, d or w, such as 14d.")
    return duration
