"""The Beta estimate: its numbers, when it demotes, and that the words show the numbers."""

from __future__ import annotations

import random

import pytest

from opscrew.ci.rerun.success_rate import RescueRecord, beta_quantile, rescue_estimate


@pytest.mark.parametrize(
    ("probability", "alpha", "beta", "value"),
    [
        (0.5, 1, 1, 0.5),
        (0.05, 2, 1, 0.05**0.5),  # Beta(2, 1) has the cumulative probability x squared
        (0.95, 1, 2, 1 - 0.05**0.5),
        (0.9, 1, 1, 0.9),
        (0.5, 40, 40, 0.5),
    ],
)
def test_quantiles_that_are_known_exactly(probability: float, alpha: int, beta: int, value: float) -> None:
    assert beta_quantile(probability, alpha, beta) == pytest.approx(value, abs=1e-6)


def test_quantiles_agree_with_drawn_numbers() -> None:
    draws = random.Random(7)
    for alpha, beta in ((3, 8), (12, 2), (700, 900)):
        sample = sorted(draws.betavariate(alpha, beta) for _ in range(20_000))
        for probability in (0.05, 0.5, 0.95):
            assert beta_quantile(probability, alpha, beta) == pytest.approx(
                sample[int(probability * len(sample))], abs=0.01
            )


def test_without_experience_the_allow_list_is_believed() -> None:
    estimate = rescue_estimate(RescueRecord(passed=0, failed=0))
    assert estimate.mean == pytest.approx(2 / 3)
    assert not estimate.demoted
    assert estimate.text == "no re-run yet; expected rescue rate 67% (90 % interval 22% to 97%)"


def test_six_failures_in_a_row_demote_and_five_do_not() -> None:
    assert not rescue_estimate(RescueRecord(passed=0, failed=5)).demoted
    demoted = rescue_estimate(RescueRecord(passed=0, failed=6))
    assert demoted.demoted
    assert demoted.high < 0.5
    assert "0 of 6 re-runs passed" in demoted.text
    assert "no longer re-run by itself" in demoted.text


def test_passes_keep_and_bring_back_a_signature() -> None:
    assert not rescue_estimate(RescueRecord(passed=3, failed=6)).demoted
    assert rescue_estimate(RescueRecord(passed=300, failed=700)).demoted
    assert not rescue_estimate(RescueRecord(passed=700, failed=300)).demoted


def test_more_experience_narrows_the_interval() -> None:
    few, many = rescue_estimate(RescueRecord(4, 1)), rescue_estimate(RescueRecord(4000, 1000))
    assert many.high - many.low < (few.high - few.low) / 10
    assert many.low < 0.8 < many.high


def test_a_record_counts() -> None:
    with pytest.raises(ValueError):
        RescueRecord(passed=-1, failed=0)
