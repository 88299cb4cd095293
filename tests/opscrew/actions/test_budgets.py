"""Budgets count what was done lately, and say which of them is used up."""

from datetime import timedelta

from opscrew.actions.budgets import Spending, shortage
from opscrew.settings import BudgetSettings

LIMITS = BudgetSettings(per_hour=4, per_repository_hour=2, per_commit=1, cooldown_minutes=10)


def spending(repository: str = "acme/shop", commit: str = "c9", key: str = "k9", minutes: float = 0) -> Spending:
    return Spending("rerun_pipeline", repository, commit, key, timedelta(minutes=minutes))


def test_with_nothing_spent_nothing_is_short() -> None:
    assert shortage(LIMITS, [], spending()) is None


def test_an_hour_for_one_repository() -> None:
    past = [spending(commit=f"c{n}", key=f"k{n}", minutes=59) for n in range(2)]
    found = shortage(LIMITS, past, spending())
    assert found is not None
    assert (found.budget, found.absolute) == ("repository", False)
    assert "2 actions an hour for acme/shop" in found.text
    assert shortage(LIMITS, past, spending("acme/other")) is None


def test_an_hour_for_all() -> None:
    past = [spending(f"acme/r{n}", f"c{n}", f"k{n}", minutes=10) for n in range(4)]
    found = shortage(LIMITS, past, spending())
    assert found is not None
    assert found.budget == "hour"


def test_the_window_slides() -> None:
    past = [spending(commit=f"c{n}", key=f"k{n}", minutes=60) for n in range(9)]
    assert shortage(LIMITS, past, spending()) is None


def test_a_commit_is_absolute_and_never_forgotten() -> None:
    found = shortage(LIMITS, [spending(minutes=60 * 24 * 30)], spending())
    assert found is not None
    assert (found.budget, found.absolute) == ("commit", True)


def test_people_read_the_first_twelve_characters_of_a_commit() -> None:
    commit = "4f1d2c3b5a69788796a5b4c3d2e1f00112233445"
    found = shortage(LIMITS, [spending(commit=commit, minutes=90)], spending(commit=commit))
    assert found is not None
    assert found.text.startswith("commit 4f1d2c3b5a69 has had")


def test_a_commit_of_the_same_name_elsewhere_does_not_count() -> None:
    assert shortage(LIMITS, [spending("acme/fork", key="other", minutes=5)], spending()) is None


def test_the_cooldown_keeps_the_same_thing_apart() -> None:
    found = shortage(LIMITS, [spending(commit="other", minutes=9)], spending())
    assert found is not None
    assert found.budget == "cooldown"
    assert shortage(LIMITS, [spending(commit="other", minutes=10)], spending()) is None


def test_zero_allows_nothing() -> None:
    assert shortage(BudgetSettings(per_hour=0), [], spending()) is not None
    assert shortage(BudgetSettings(per_commit=0), [], spending()) is not None
