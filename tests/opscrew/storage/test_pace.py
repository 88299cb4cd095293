"""A pace that has lasted and is new is believed; leaps, teeth and rhythms are none. Gaps are bridged, and said."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from bench.storage_shapes import NEVER, shapes
from opscrew.storage.forecast import forecast
from opscrew.storage.gaps import bridge
from opscrew.storage.pace import read_pace
from opscrew.storage.series import BadSeriesError, read_series

DAY, FORTNIGHT = timedelta(days=1), timedelta(days=14)
NOISE = np.random.default_rng(7).normal(0, 0.2, 90)


def of(*values: float) -> np.ndarray:
    return np.array(values, dtype=float)


def test_two_steps_alike_after_quiet_months_are_a_pace() -> None:
    pace = read_pace(np.concatenate([13 + NOISE, of(32, 55)]))
    assert pace.is_new
    assert pace.slope == pytest.approx(21, rel=0.15)


def test_one_leap_is_none() -> None:
    assert read_pace(np.concatenate([13 + NOISE, of(32)])).steps < 3 or not read_pace(of(*13 + NOISE, 32)).is_new
    told = forecast([*(13 + NOISE), *(40 + NOISE[:6])], DAY, 60, FORTNIGHT)
    assert not told.fills


def test_a_flank_of_a_saw_tooth_is_usual() -> None:
    assert not read_pace(of(*[50 + (n % 7) * 5 for n in range(62)])).is_new


@pytest.mark.parametrize(
    ("values", "capacity", "low", "high"),
    [
        ([10, 20, 30], 100, 5, 10),
        ([40, 45, 50, 55, 60], 100, 6.5, 10),
        ([*(72 + NOISE), 74, 76, 78, 80, 82], 100, 7, 11.5),
        ([*(10 + NOISE[:30]), *(13 + 3 * n for n in range(14))], 100, 12, 20),
    ],
)
def test_days_come_from_the_pace(values: list[float], capacity: float, low: float, high: float) -> None:
    middle = forecast(values, DAY, capacity, FORTNIGHT).days_to_full[1]
    assert middle is not None
    assert low <= middle <= high


def test_what_grew_and_has_stopped_holds() -> None:
    told = forecast([*range(1, 61), *[60 + n / 100 for n in NOISE[:20]]], DAY, 70, FORTNIGHT)
    assert not told.fills


def test_gaps_and_a_single_zero_are_bridged_and_counted() -> None:
    found = bridge([1.0, None, 3.0, float("nan"), 5.0, 0.0, 7.0, 0.0, None])
    assert found.values == (1, 2, 3, 4, 5, 6, 7)
    assert (found.count, found.stale) == (3, 2)
    assert (
        found.note
        == "3 missing values bridged; the last 2 values are missing or a lone zero, so this looks ahead from before"
    )
    assert bridge([0.0, 5.0, 6.0]).values == (0, 5, 6)
    assert bridge([5.0, 6.0, 0.0, 0.0]).values == (5, 6, 0, 0)
    assert bridge([]).values == bridge([None]).values == ()


def test_a_series_with_too_little_measured_is_refused() -> None:
    for values, words in (
        ("[1, null, 3]", "at least 3 values, not 2"),
        ("[1, 2, 3, null, null, null, null, 4]", "of 8 values are missing"),
        ("[1, 2, 3, 4, null, null, null, null]", "no present"),
    ):
        line = f'{{"id": "a", "values": {values}, "step": "1d", "capacity": 10}}'
        if "of 8" in words:
            line = line.replace("null, 4", "null, null, 4")
            words = "of 9 values are missing"
        with pytest.raises(BadSeriesError, match=words):
            read_series(line)


def test_generated_shapes_are_right_within_their_factor() -> None:
    """The same as the benchmark's, fewer and with another seed."""
    right = []
    for shape in shapes(seed=11, each=4):
        told = forecast(bridge(shape.values).values, shape.step, shape.capacity, FORTNIGHT)
        middle = told.days_to_full[1]
        near = middle is not None and 1 / 1.6 <= middle / shape.days <= 1.6
        right.append(not told.fills if shape.days == NEVER else near)
    assert sum(right) >= 0.9 * len(right)


def told_days(values: list[float | None], step: timedelta, capacity: float) -> float:
    middle = forecast(bridge(values).values, step, capacity, FORTNIGHT).days_to_full[1]
    assert middle is not None
    return middle


def test_a_job_that_writes_for_a_week_beside_a_quiet_database() -> None:
    """After ooni/sysadmin#240: 198 GiB are free and 28.8 are written a day, for a week now."""
    quiet = [600 + NOISE[n] for n in range(60)]
    values = [*quiet, *(600 + 28.8 * n for n in range(1, 8))]
    assert 5.5 <= told_days(values, DAY, values[-1] + 198) <= 8.5


def test_compactions_that_never_end_fill_within_hours() -> None:
    """After influxdata/influxdb#8368: 14 hours after each restart everything is full."""
    hour = timedelta(hours=1)
    flank = [1.7 + 0.093 * n for n in range(10)]
    before = [1.7 + 0.001 * NOISE[n] for n in range(80)]
    assert 0.1 <= told_days([*before, *flank], hour, 3.0) * 24 / 4.95 <= 1.6


def test_nine_months_from_half_to_nine_tenths() -> None:
    """After freelawproject/courtlistener#1404: slow, and its logs of changes come and go."""
    values = [50 + 40 * n / 270 + (3 if n % 9 == 0 else 0) for n in range(271)]
    told = forecast(values, DAY, 100, FORTNIGHT)
    assert not told.fills
    assert 40 <= (told.days_to_full[1] or 0) <= 100


def test_a_volume_whose_pod_crash_loops_is_measured_now_and_then() -> None:
    """After kubernetes/kubernetes#141350 and #20679: no figures while nothing runs, and a zero right after."""
    values: list[float | None] = [50 + 0.5 * n if n % 3 else None for n in range(60)]
    values[40] = 0.0
    assert 15 <= told_days(values, DAY, 90) <= 27
