"""A model that keeps failing is left alone, tried with one call, and trusted again."""

from __future__ import annotations

from crews.team.breaker import Breaker


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_it_opens_after_three_failures_and_lets_one_call_try_after_the_rest() -> None:
    clock = Seconds()
    breaker = Breaker(clock=clock)
    for _ in range(3):
        assert breaker.allows()
        breaker.failed("connection refused")
    assert not breaker.allows()
    assert breaker.seconds_left == 30
    clock.now += 31
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.failed("connection refused")
    assert breaker.seconds_left == 60
    clock.now += 61
    assert breaker.allows()
    breaker.succeeded()
    assert [breaker.allows(), breaker.allows()] == [True, True]
    assert breaker.last_error == ""


def test_the_rest_never_grows_beyond_its_limit() -> None:
    clock = Seconds()
    breaker = Breaker(clock=clock)
    for _ in range(12):
        breaker.failed("down")
        clock.now += 1_000
    breaker.failed("down")
    assert breaker.seconds_left == 300


def test_a_cancelled_trial_leaves_the_next_caller_a_trial() -> None:
    clock = Seconds()
    breaker = Breaker(failures=1, clock=clock)
    breaker.failed("down")
    clock.now += 31
    assert breaker.allows()
    breaker.gave_up()
    assert breaker.allows()
