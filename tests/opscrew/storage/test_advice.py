"""Every kind of volume gets the advice that a careful person would give, with the reason."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from opscrew.storage.advice import Step, advise, monthly_cost, wanted_gib
from opscrew.storage.rules import storage_rules
from opscrew.storage.teeth import clean_ups
from opscrew.storage.trouble import look_for_trouble
from opscrew.storage.volume import GIB, HOUR, Past, StorageClass
from tests.support.volumes import EXPANDABLE, NOW, claim, growing, volume

FILLING = growing(90, 1)


def test_steady_growth_is_answered_with_room_for_the_runway() -> None:
    advice = advise(volume(FILLING), NOW)
    assert advice.step is Step.EXPAND
    # 90 GiB and 60 days at 1 GiB a day are 150 GiB; at most 80 % used makes 188.
    assert advice.to_gib == pytest.approx(188, abs=6)
    assert advice.cost == Decimal("0.17") * (advice.to_gib - 100)
    assert "probability" in advice.reason


@pytest.mark.parametrize("used", [50, 90, 96])
def test_a_flat_volume_is_left_alone(used: float) -> None:
    flat = volume([used] * 90)
    assert look_for_trouble(flat) is None
    advice = advise(flat, NOW)
    assert (advice.step, advice.to_gib) == (Step.LEAVE, None)
    assert f"{used}% used" in advice.reason


def test_a_saw_tooth_that_is_cleaned_in_time_is_left_alone() -> None:
    weeks = [40 + 6.0 * (day % 7) for day in range(91)]
    assert look_for_trouble(volume(weeks)) is None


def test_an_overdue_clean_up_is_named_instead_of_paying_for_space() -> None:
    teeth = [30 + 5.0 * (day % 10) for day in range(60)] + [30 + 3.2 * day for day in range(21)]
    advice = advise(volume(teeth), NOW)
    assert advice.step is Step.CLEAN_UP
    assert "the last clean-up was 20 days ago" in advice.reason


def test_one_growth_step_of_the_past_does_not_alarm_for_ever() -> None:
    assert look_for_trouble(volume([10.0] * 45 + [50.0] * 60)) is None


def test_full_is_full_whatever_the_past_says() -> None:
    trouble = look_for_trouble(volume([98.0] * 60))
    assert trouble is not None
    assert (trouble.code, trouble.critical) == ("VOLUME_FULL", True)


def test_two_percent_of_a_huge_flat_volume_are_no_emergency() -> None:
    of = claim(requested=8000 * GIB, capacity=8000 * GIB)
    assert look_for_trouble(volume([7840.0] * 60, size=8000, of=of)) is None


def test_what_is_full_in_days_is_critical() -> None:
    trouble = look_for_trouble(volume(growing(96, 2)))
    assert trouble is not None
    assert (trouble.code, trouble.critical) == ("VOLUME_FILLING", True)


def test_a_volume_that_races_after_a_quiet_past_is_told_before_the_forecast_believes_it() -> None:
    trouble = look_for_trouble(volume([20.0] * 80 + [60.0, 88.0]))
    assert trouble is not None
    assert (trouble.code, trouble.critical) == ("VOLUME_FILLING", True)
    assert trouble.days == pytest.approx(12 / 28)
    assert "at the pace of the last day" in trouble.sentence
    tooth = [16 + 8.0 * (day % 10) for day in range(80)]
    assert look_for_trouble(volume(tooth)) is None


def test_a_young_volume_is_judged_by_its_share_alone() -> None:
    young = volume([5.0, 90.0], past=Past((5 * GIB, 90 * GIB), HOUR))
    trouble = look_for_trouble(young)
    assert trouble is not None
    assert (trouble.code, trouble.critical, trouble.forecast) == ("VOLUME_FILLING", False, None)
    assert look_for_trouble(volume([5.0, 60.0], past=Past((5 * GIB, 60 * GIB), HOUR))) is None


def test_inodes_run_out_first() -> None:
    files = {"inodes": 1000.0, "inodes_used": 900.0, "inodes_past": Past(tuple(growing(900, 10)))}
    empty = volume([10.0] * 60, **files)
    advice = advise(empty, NOW)
    assert look_for_trouble(empty).code == "VOLUME_INODES_FILLING"  # type: ignore[union-attr]
    assert (advice.step, "files run out" in advice.reason) == (Step.CLEAN_UP, True)
    assert advise(volume([70.0] * 60, **files), NOW).step is Step.EXPAND


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"phase": "Lost"}, "the claim is Lost"),
        ({"resizing": "the driver enlarges the disk"}, "under way"),
        ({"requested": 200 * GIB, "capacity": 200 * GIB}, "not enlarged yet"),
    ],
)
def test_what_cannot_be_done_now_is_waited_for(changes: dict, words: str) -> None:
    advice = advise(volume(FILLING, of=claim(**changes)), NOW)
    assert (advice.step, words in advice.reason) == (Step.LEAVE, True)


def test_after_an_enlargement_there_is_a_pause() -> None:
    filling = volume(FILLING, enlarged_at=NOW - timedelta(hours=5))
    assert advise(filling, NOW).step is Step.LEAVE
    assert advise(filling, NOW + timedelta(hours=2)).step is Step.EXPAND


def test_a_shared_file_system_is_cleaned_up() -> None:
    advice = advise(volume(growing(900, 20), size=1000), NOW)
    assert (advice.step, "shared" in advice.reason) == (Step.CLEAN_UP, True)


def test_a_class_that_does_not_allow_it_means_moving() -> None:
    of = claim(storage_class=StorageClass("slow", "example.org/slow"))
    advice = advise(volume(FILLING, of=of), NOW)
    assert (advice.step, advice.cost) == (Step.MIGRATE, None)
    assert "class slow does not allow" in advice.reason


def test_there_is_a_largest_size_and_a_largest_jump() -> None:
    rules = storage_rules()
    of = claim(requested=3500 * GIB, capacity=3500 * GIB)
    advice = advise(volume(growing(3300, 40), size=3500, of=of), NOW)
    assert (advice.step, "beyond the allowed" in advice.reason) == (Step.MIGRATE, True)
    racing = volume(growing(90, 9))
    assert wanted_gib(racing, look_for_trouble(racing).days, rules) == 200  # type: ignore[union-attr]
    assert "the most that is added at once" in advise(racing, NOW).reason


def test_costs_are_exact_and_unknown_where_they_are_unknown() -> None:
    rules = storage_rules()
    assert monthly_cost(EXPANDABLE, 30, rules) == Decimal("5.10")
    assert monthly_cost(StorageClass("x", "ebs.csi.aws.com", "gp3"), 10, rules) == Decimal("0.80")
    assert monthly_cost(StorageClass("x", "example.org/slow"), 10, rules) is None


def test_clean_ups_are_falls_by_a_tenth_of_the_capacity() -> None:
    past = Past((50.0, 60.0, 55.0, 65.0, 50.0, 20.0))
    assert clean_ups(past, 100.0, storage_rules()) == [4, 5]
