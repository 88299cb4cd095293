"""The growth forecast: shapes that people know, and numbers that can be checked by hand."""

import math
import tracemalloc
from datetime import timedelta

import pytest

from opscrew.storage.forecast import forecast

DAY, FORTNIGHT = timedelta(days=1), timedelta(days=14)
GIB = 1024.0**3


def test_steady_growth_fills_when_the_line_says_so() -> None:
    told = forecast([n * GIB for n in range(100)], DAY, 109 * GIB, FORTNIGHT)
    assert told.fills
    assert told.probability > 0.5
    assert told.days_to_full[1] == pytest.approx(10, abs=1)


def test_the_same_growth_far_from_full_does_not_fill() -> None:
    told = forecast([n * GIB for n in range(100)], DAY, 1000 * GIB, FORTNIGHT)
    assert not told.fills
    assert told.probability < 0.1
    assert told.days_to_full[1] is None or told.days_to_full[1] > 100


def test_a_flat_ninety_percent_does_not_alarm() -> None:
    told = forecast([90 * GIB] * 120, DAY, 100 * GIB, FORTNIGHT)
    assert (told.fills, told.probability, told.days_to_full) == (False, 0.0, (None, None, None))


def test_a_saw_tooth_that_is_cleaned_up_in_time_does_not_fill() -> None:
    told = forecast([50 * GIB + (n % 7) * 5 * GIB for n in range(140)], DAY, 100 * GIB, FORTNIGHT)
    assert not told.fills


def test_a_saw_tooth_whose_peak_reaches_the_top_does() -> None:
    values = [50 * GIB + (n % 10) * 5 * GIB for n in range(141)]
    assert forecast(values, DAY, 94 * GIB, FORTNIGHT).fills


def test_a_single_step_long_ago_counts_little() -> None:
    told = forecast([10 * GIB] * 30 + [60 * GIB] * 300, DAY, 80 * GIB, FORTNIGHT)
    assert told.probability < 0.1


def test_a_full_volume_is_full() -> None:
    told = forecast([1.0, 2.0, 3.0], DAY, 3.0, FORTNIGHT)
    assert (told.fills, told.probability, told.days_to_full) == (True, 1.0, (0.0, 0.0, 0.0))


def test_a_young_volume_is_read_in_shorter_stretches() -> None:
    assert forecast([n * GIB for n in range(6)], DAY, 12 * GIB, FORTNIGHT).fills


def test_hourly_values_say_the_same_as_daily_ones() -> None:
    hourly = [n * GIB / 24 for n in range(24 * 60)]
    told = forecast(hourly, timedelta(hours=1), hourly[-1] + 10 * GIB, FORTNIGHT)
    assert told.fills
    assert told.days_to_full[1] == pytest.approx(10, abs=0.5)


def test_percentiles_are_in_order() -> None:
    values = [float(n * n % 97 + n) for n in range(200)]
    days = [day if day is not None else float("inf") for day in forecast(values, DAY, 350.0, FORTNIGHT).days_to_full]
    assert days == sorted(days)


@pytest.mark.parametrize(
    ("values", "horizon"),
    [
        ([1.0, 2.0], FORTNIGHT),
        ([1.0, float("nan"), 2.0], FORTNIGHT),
        ([1.0, -1.0, 2.0], FORTNIGHT),
        ([1.0] * 9, DAY / 2),
    ],
)
def test_what_carries_no_forecast_is_refused(values, horizon) -> None:
    with pytest.raises(ValueError):
        forecast(values, DAY, 10.0, horizon)


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([40 * GIB + (n % 7) * 6 * GIB for n in range(200)], DAY),
        ([60 * GIB + 10 * GIB * math.sin(n * 2 * math.pi / 24) for n in range(24 * 30)], timedelta(hours=1)),
    ],
)
def test_what_goes_up_and_down_for_ever_never_fills(values: list[float], step: timedelta) -> None:
    told = forecast(values, step, 100 * GIB, FORTNIGHT)
    assert not told.fills
    assert all(day is None or day > 90 for day in told.days_to_full[1:])


def test_values_of_each_minute_for_months_fit_into_little_memory() -> None:
    minutes = [50 * GIB + n * GIB / 2880 for n in range(90 * 1440)]  # half a GiB a day
    tracemalloc.start()
    told = forecast(minutes, timedelta(minutes=1), minutes[-1] + 5 * GIB, FORTNIGHT)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told.fills
    assert told.days_to_full[1] == pytest.approx(10, abs=0.5)
    assert peak < 200e6


def test_a_horizon_of_very_many_steps_is_looked_at_in_coarser_ones() -> None:
    told = forecast([float(n) for n in range(30_000)], timedelta(minutes=1), 30_500.0, timedelta(days=60))
    assert told.fills
    assert told.days_to_full[1] == pytest.approx(501 / 1440, abs=0.5)
    # Where there are few values they are all kept, however fine they are.
    assert forecast([1.0, 2.0, 3.0], timedelta(minutes=1), 10.0, FORTNIGHT).fills


def test_growth_that_adds_up_counts_as_it_was() -> None:
    """A GiB a day is 14 in a fortnight: 21 are free, so the absolute way says no for certain, and it is half of all."""
    told = forecast([n * GIB for n in range(100)], DAY, 120 * GIB, FORTNIGHT)
    assert 0.0 < told.probability < 0.5
    assert not told.fills


def test_a_stretch_that_is_unlike_now_counts_next_to_nothing_and_never_less() -> None:
    """It grew 65 GiB from near its top; now the volume was just cleaned up, and never grew from there."""
    rise = [(30 + 5 * n) * GIB for n in range(13)]
    told = forecast([30 * GIB] * 10 + rise + [45 * GIB] * 25, DAY, 100 * GIB, FORTNIGHT)
    assert 0.0 < told.probability < 0.01
