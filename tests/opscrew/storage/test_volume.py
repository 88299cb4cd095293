"""What figures are worth, and how a past with gaps is read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from opscrew.storage.advice import advise
from opscrew.storage.trouble import look_for_trouble
from opscrew.storage.volume import DAY, GIB, HOUR, Fit, Past, read_past
from tests.support.volumes import NOW, claim, growing, volume

AT = NOW.timestamp()
SECONDS = DAY.total_seconds()


def test_a_past_is_evenly_spaced_and_gaps_keep_the_value_before() -> None:
    points = [(AT - 4 * SECONDS, 1.0), (AT - 2 * SECONDS, 3.0), (AT, 5.0)]
    assert read_past(points, DAY, NOW).values == (1.0, 1.0, 3.0, 3.0, 5.0)


def test_a_past_that_ends_early_is_carried_on_to_now() -> None:
    assert read_past([(AT - 2 * SECONDS, 7.0)], DAY, NOW).values == (7.0, 7.0, 7.0)


def test_what_lies_before_the_claim_belongs_to_another_volume() -> None:
    points = [(AT - day * SECONDS, 90.0) for day in range(10, 3, -1)] + [(AT - SECONDS, 1.0), (AT, 2.0)]
    assert read_past(points, DAY, NOW, NOW - timedelta(days=2)).values == (1.0, 2.0)


def test_a_peak_of_a_step_in_which_the_claim_was_made_may_be_of_the_one_before() -> None:
    points = [(AT - 2 * SECONDS, 90.0), (AT - SECONDS, 90.0), (AT, 2.0)]
    assert read_past(points, DAY, NOW, NOW - timedelta(days=1, hours=1)).values == (2.0,)


def test_no_points_and_points_of_the_future() -> None:
    assert read_past([], DAY, NOW) == Past()
    assert read_past([(AT + 5 * SECONDS, 1.0)], DAY, NOW) == Past()


def test_a_past_too_short_gives_no_forecast() -> None:
    assert Past((1.0, 2.0)).forecast(100, 14 * DAY) is None
    assert Past((1.0, 2.0, 3.0), HOUR).forecast(100, 14 * DAY) is None
    assert Past(tuple(range(30)), HOUR).forecast(100, 14 * DAY) is not None
    assert Past((1.0, 2.0, 3.0)).forecast(0, 14 * DAY) is None


@pytest.mark.parametrize(
    ("size", "fit"),
    [(100, Fit.SAME), (97, Fit.SAME), (104, Fit.SAME), (95, Fit.SMALLER), (50, Fit.SMALLER), (105, Fit.LARGER)],
)
def test_figures_belong_to_the_claim_only_when_the_sizes_agree(size: float, fit: Fit) -> None:
    assert volume([10.0] * 20, size=size).fit is fit


def test_usable_is_what_programs_can_fill() -> None:
    reserved = volume(growing(60, 0), available=35 * GIB)
    assert reserved.usable == 95 * GIB
    assert reserved.used_share == pytest.approx(60 / 95)


def test_the_subject_is_named_as_everywhere_else() -> None:
    assert claim().subject.key == "kubernetes/PersistentVolumeClaim/prod/shop/data-db-0"


@pytest.mark.parametrize(
    ("claimed", "has", "expected"),
    [
        (100, 96.5, Fit.SAME),
        (100, 95, Fit.SMALLER),
        (2, 1.90, Fit.SAME),
        (1, 0.95, Fit.SAME),
        (0.29297, 0.2256, Fit.SAME),  # XFS of 300 MiB with its log of 64
        (2, 0.95, Fit.SMALLER),
        (0.05, 0.0376, Fit.SAME),
        (0.05, 0.03, Fit.SMALLER),
    ],
)
def test_a_small_file_system_takes_more_for_itself(claimed: float, has: float, expected: Fit) -> None:
    of = claim(requested=claimed * GIB, capacity=claimed * GIB)
    assert volume([has / 2], size=has, of=of).fit is expected


def test_a_volume_that_nobody_can_write_to_is_full_by_nature() -> None:
    full = volume(growing(100, 1), of=claim(read_only=True))
    assert look_for_trouble(full) is None
    assert "nobody can write to it" in advise(full, NOW).reason
