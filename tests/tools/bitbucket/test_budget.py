"""The hour's requests: counted here, corrected by what Bitbucket says, never exceeded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.conftest import ManualClock
from tools.bitbucket.budget import BudgetKeeper, retry_after_seconds
from tools.errors import TemporaryError


def test_the_ceiling_holds_in_every_sliding_hour(clock: ManualClock) -> None:
    keeper = BudgetKeeper(60, clock)
    sent: list[datetime] = []
    refused = 0
    for _ in range(400):
        try:
            keeper.take("u")
            sent.append(clock.now)
        except TemporaryError:
            refused += 1
        clock.forward(seconds=37)
    assert len(sent) > 200
    assert refused > 100
    for moment in sent:
        assert sum(moment - timedelta(hours=1) < other <= moment for other in sent) <= 60


def test_a_refusal_names_the_time_and_keeps_it(clock: ManualClock) -> None:
    keeper = BudgetKeeper(2, clock)
    keeper.take("u")
    clock.forward(minutes=10)
    keeper.take("u")
    with pytest.raises(TemporaryError, match="next request in 50 min") as refusal:
        keeper.take("u")
    assert refusal.value.retry_after == 50 * 60
    clock.forward(minutes=50)
    keeper.take("u")


def test_a_clock_that_jumps_back_never_gives_more(clock: ManualClock) -> None:
    keeper = BudgetKeeper(2, clock)
    keeper.take("u")
    keeper.take("u")
    clock.forward(hours=-5)
    with pytest.raises(TemporaryError):
        keeper.take("u")
    clock.forward(hours=1, seconds=1)
    keeper.take("u")


@pytest.mark.parametrize(
    ("headers", "limit", "remaining"),
    [
        ({}, 900, 900),
        ({"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "120"}, 900, 120),
        ({"X-RateLimit-Limit": "500"}, 500, 500),
        ({"X-RateLimit-Limit": "1000", "X-RateLimit-NearLimit": "true"}, 900, 200),
        ({"X-RateLimit-Limit": "1000", "X-RateLimit-NearLimit": "false"}, 900, 900),
        ({"X-RateLimit-Remaining": "7"}, 900, 7),
        ({"X-RateLimit-Remaining": "-3"}, 900, 0),
        ({"X-RateLimit-Remaining": "11, 11"}, 900, 11),
        ({"X-RateLimit-Limit": "many", "X-RateLimit-Remaining": "some"}, 900, 900),
        ({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": "nonsense"}, 900, 5),
    ],
)
def test_headers_in_all_their_spellings(
    clock: ManualClock, headers: dict[str, str], limit: int, remaining: int
) -> None:
    keeper = BudgetKeeper(900, clock)
    keeper.learn(headers)
    budget = keeper.current()
    assert (budget.limit, budget.remaining) == (limit, remaining)


@pytest.mark.parametrize("reset", ["300", str(int(datetime(2026, 10, 6, 12, 5, tzinfo=UTC).timestamp()))])
def test_a_reading_ends_when_bitbucket_says_so(clock: ManualClock, reset: str) -> None:
    keeper = BudgetKeeper(900, clock)
    keeper.learn({"X-RateLimit-Remaining": "5", "X-RateLimit-Reset": reset})
    assert keeper.current().resets_at == clock.now + timedelta(minutes=5)
    clock.forward(minutes=4)
    assert keeper.current().remaining == 5
    clock.forward(minutes=2)
    assert keeper.current().remaining == 900


def test_what_is_sent_after_a_reading_comes_off_it(clock: ManualClock) -> None:
    keeper = BudgetKeeper(900, clock)
    keeper.learn({"X-RateLimit-Remaining": "5"})
    clock.forward(seconds=1)
    keeper.take("u")
    assert keeper.current().remaining == 4


def test_after_429_nothing_is_sent_until_the_time_named(clock: ManualClock) -> None:
    keeper = BudgetKeeper(900, clock)
    assert keeper.limited(None) == 60
    assert keeper.current().remaining == 0
    with pytest.raises(TemporaryError, match="next request in 1 min"):
        keeper.take("u")
    clock.forward(seconds=60)
    keeper.take("u")


def test_retry_after_as_seconds_and_as_date(clock: ManualClock) -> None:
    assert retry_after_seconds("12", clock.now) == 12
    assert retry_after_seconds("0.5", clock.now) == 0.5
    assert retry_after_seconds("-4", clock.now) == 0
    assert retry_after_seconds("99999999", clock.now) == 3600
    assert retry_after_seconds(format_datetime(clock.now + timedelta(seconds=30)), clock.now) == 30
    assert retry_after_seconds("soon", clock.now) is None
    assert retry_after_seconds(None, clock.now) is None
    assert retry_after_seconds("nan", clock.now) is not None
