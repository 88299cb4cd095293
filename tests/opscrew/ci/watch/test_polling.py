"""The planner: within the budget in any hour, active ones soon, quiet ones rarely, nobody forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opscrew.ci.watch.poll_bucket import Poller, allowance, catch_up, poll_rules, refilled, spent
from opscrew.ci.watch.polling import (
    PollState,
    after_failed_look,
    after_hint,
    after_listing,
    after_look,
    interval,
    listed,
    plan,
    urgency,
)

RULES = poll_rules()
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def ago(**amount: float) -> datetime:
    return NOW - timedelta(**amount)


def seconds(state: PollState, *, webhooks: bool = False) -> float:
    return interval(state, NOW, webhooks=webhooks, rules=RULES).total_seconds()


def test_an_active_repository_is_looked_at_every_minute() -> None:
    assert seconds(PollState("a", is_running=True, active_at=ago(hours=5))) == 60
    assert seconds(PollState("a", active_at=ago(minutes=2))) == 60


def test_the_longer_the_silence_the_rarer_the_look_up_to_a_limit() -> None:
    waits = [seconds(PollState("a", active_at=ago(minutes=m))) for m in (1, 10, 40, 120, 600, 60_000)]
    assert waits == sorted(waits)
    assert waits[3] == 120 * 60 * RULES.widening
    assert waits[-1] == seconds(PollState("a")) == RULES.quiet_seconds


def test_with_webhooks_looking_is_only_a_safety_net() -> None:
    assert seconds(PollState("a", is_running=True), webhooks=True) == RULES.active_seconds_with_webhooks
    assert seconds(PollState("a"), webhooks=True) == RULES.quiet_seconds_with_webhooks


def test_a_repository_that_cannot_be_read_is_tried_ever_more_rarely() -> None:
    state = PollState("a", is_running=True)
    waits = []
    for _ in range(10):
        state = after_failed_look(state, NOW)
        waits.append(seconds(state))
    assert waits[:3] == [120, 240, 480]
    assert waits[-1] == RULES.quiet_seconds
    assert after_look(state, NOW, is_running=True, latest=None).failures == 0


def test_a_hint_goes_first_and_then_keeps_it_active_for_a_while() -> None:
    hinted = after_hint(PollState("z", polled_at=ago(seconds=1)), NOW)
    states = [PollState("a"), PollState("b", polled_at=ago(days=3)), hinted]
    chosen = plan(states, Poller(9, NOW, NOW, NOW), NOW, requests=2, limit=900, webhooks=False, rules=RULES)
    assert chosen.repositories == ("z", "a")
    assert chosen.left_out == ("b",)
    seen = after_look(hinted, NOW, is_running=False, latest=ago(days=1))
    assert seen.hinted_at is None
    assert seconds(seen) == 60


def test_looks_that_would_be_lost_go_to_the_quiet_ones_nearest_to_being_due() -> None:
    states = [PollState(f"r{n}", polled_at=ago(minutes=n)) for n in range(2, 58)]
    full = Poller(RULES.burst, NOW, NOW, NOW)
    chosen = plan(states, full, NOW, requests=RULES.burst, limit=900, webhooks=False, rules=RULES)
    assert chosen.repositories == tuple(f"r{n}" for n in range(57, 47, -1))
    for poller, webhooks in ((full, True), (Poller(RULES.burst / 2, NOW, NOW, NOW), False)):
        assert plan(states, poller, NOW, requests=20, limit=900, webhooks=webhooks, rules=RULES).repositories == ()


def test_after_a_failure_it_stays_watched_and_after_a_success_it_does_not() -> None:
    running = after_look(PollState("a"), ago(minutes=5), is_running=True, latest=ago(minutes=9))
    ended = ago(minutes=4)
    assert seconds(after_look(running, NOW, is_running=False, latest=ended, has_failed=True)) < 120
    assert seconds(after_look(running, NOW, is_running=False, latest=ended)) == RULES.quiet_seconds


def test_a_hint_for_a_repository_that_cannot_be_read_does_not_spin() -> None:
    state = after_failed_look(after_hint(PollState("a"), ago(minutes=1)), ago(seconds=30))
    assert urgency(state, NOW, webhooks=False, rules=RULES) < 1


def test_when_requests_are_short_all_wait_by_the_same_factor() -> None:
    running = [PollState(f"run{n}", polled_at=ago(seconds=90), is_running=True) for n in range(3)]
    quiet = [PollState(f"quiet{n}", polled_at=ago(hours=3)) for n in range(3)]
    chosen = plan([*running, *quiet], Poller(9, NOW, NOW, NOW), NOW, requests=3, limit=900, webhooks=False, rules=RULES)
    assert set(chosen.repositories) == {"quiet0", "quiet1", "quiet2"}  # three times overdue beats one and a half


def test_the_listing_comes_first_and_costs_one() -> None:
    states = [PollState("a"), PollState("b")]
    chosen = plan(states, Poller(9, NOW, None, NOW), NOW, requests=2, limit=900, webhooks=False, rules=RULES)
    assert (chosen.list_changes, chosen.repositories) == (True, ("a",))
    fresh = Poller(9, NOW, ago(seconds=30), NOW)
    assert not plan(states, fresh, NOW, requests=2, limit=900, webhooks=False, rules=RULES).list_changes
    nothing = plan(states, Poller(0, NOW, None, NOW), NOW, requests=0, limit=900, webhooks=False, rules=RULES)
    assert (nothing.list_changes, nothing.repositories, nothing.left_out) == (False, (), ("a", "b"))


def test_all_are_listed_at_first_and_once_a_day() -> None:
    def chosen(poller: Poller, requests: int = 2) -> tuple[bool, bool]:
        found = plan([], poller, NOW, requests=requests, limit=900, webhooks=False, rules=RULES)
        return found.list_changes, found.list_all

    assert chosen(Poller(9, NOW)) == (False, True)
    assert chosen(listed(Poller(9, NOW), NOW, everything=True)) == (False, False)
    assert chosen(Poller(9, NOW, ago(minutes=2), ago(hours=3))) == (True, False)
    assert chosen(Poller(9, NOW, ago(minutes=2), ago(hours=25))) == (False, True)
    assert chosen(Poller(9, NOW), requests=0) == (False, False)


@pytest.mark.parametrize("ceiling", [1, 3, 20, 60, 120, 900])
def test_a_small_ceiling_lists_and_looks_in_turn(ceiling: int) -> None:
    states = {f"r{n}": PollState(f"r{n}") for n in range(5)}
    looks, listings, poller, now = dict.fromkeys(states, 0), 0, None, NOW
    for _ in range(48 * 60):
        now += timedelta(minutes=1)
        poller = refilled(poller, now, ceiling, RULES)
        requests = allowance(poller, remaining=ceiling, limit=ceiling, rules=RULES)
        chosen = plan(states.values(), poller, now, requests=requests, limit=ceiling, webhooks=False, rules=RULES)
        if chosen.list_changes or chosen.list_all:
            listings += 1
            poller = listed(poller, now, everything=chosen.list_all)
        poller = spent(poller, len(chosen.repositories) + (chosen.list_changes or chosen.list_all))
        for name in chosen.repositories:
            looks[name] += 1
            states[name] = after_look(states[name], now, is_running=False, latest=None)
    assert min(looks.values()) >= min(ceiling, 20) * 48 / 5 / 4, "a quarter of what it could be, or hourly"
    assert listings >= 4
    assert listings + sum(looks.values()) <= 48 * max(ceiling, 1.5)


def test_a_moved_date_is_a_hint_and_an_unmoved_one_changes_nothing() -> None:
    known = {"a": PollState("a", updated_on=ago(hours=1)), "b": PollState("b", updated_on=ago(hours=1))}
    after = after_listing(known, {"a": NOW, "b": ago(hours=1), "c": ago(days=9)}, NOW)
    assert after["a"].hinted_at == NOW
    assert after["b"] == known["b"]
    assert after["c"].active_at == ago(days=9)
    assert set(after_listing(after, {}, NOW)) == {"a", "b", "c"}


def test_a_repository_that_comes_up_from_beyond_the_first_page_is_a_hint() -> None:
    known = {"a": PollState("a", polled_at=ago(hours=1)), "b": PollState("b", polled_at=ago(hours=1))}
    after = after_listing(known, {"a": ago(seconds=20), "b": ago(days=3)}, NOW)
    assert after["a"].hinted_at == NOW
    assert after["b"].hinted_at is None


@pytest.mark.parametrize(("remaining", "expected"), [(900, 40), (90, 40), (54, 20), (18, 0), (0, 0)])
def test_little_left_at_bitbucket_shrinks_the_plan(remaining: int, expected: int) -> None:
    allowed = allowance(Poller(40, NOW), remaining=remaining, limit=900, rules=RULES)
    assert allowed == pytest.approx(expected, abs=1)


def test_what_nobody_has_looked_at_for_long_is_looked_at_at_once_out_of_an_unspent_hour() -> None:
    long_ago = [PollState(f"old{n:03}", polled_at=ago(hours=2)) for n in range(100)]
    states = [*long_ago, *(PollState(f"new{n:03}") for n in range(100))]
    poller = refilled(None, NOW, 900, RULES)
    more = catch_up(poller, remaining=900, limit=900, rules=RULES)
    first = plan(states, poller, NOW, requests=40, limit=900, webhooks=False, rules=RULES, catch_up=more)
    assert (len(first.repositories), first.left_out) == (200, ())
    after = spent(poller, 201)
    assert more >= 200
    assert catch_up(after, remaining=699, limit=900, rules=RULES) == more - 161, "once an hour, not in every round"
    in_three_minutes = refilled(after, NOW + timedelta(minutes=3), 900, RULES)
    assert in_three_minutes.tokens == pytest.approx(3 * (765 - 40 - 161) / 60), "the rest of the hour, evenly"


def test_of_very_many_a_share_is_caught_up_on_and_the_rest_is_named() -> None:
    states = [PollState(f"r{n:04}") for n in range(700)]
    poller = refilled(None, NOW, 900, RULES)
    more = catch_up(poller, remaining=900, limit=900, rules=RULES)
    chosen = plan(states, poller, NOW, requests=40, limit=900, webhooks=False, rules=RULES, catch_up=more)
    assert len(chosen.repositories) + len(chosen.left_out) == 700
    assert 400 <= len(chosen.repositories) <= 40 + 900 * (1 - RULES.reserve) * RULES.catch_up_share


def test_what_is_merely_due_or_cannot_be_read_is_not_caught_up_on() -> None:
    late = [PollState(f"run{n}", polled_at=ago(minutes=50), is_running=True) for n in range(60)]
    broken = [PollState(f"bad{n}", polled_at=ago(hours=9), failures=2) for n in range(60)]
    chosen = plan([*late, *broken], Poller(9, NOW, NOW, NOW), NOW, requests=9, limit=900, webhooks=False,
                  rules=RULES, catch_up=300)  # fmt: skip
    assert len(chosen.repositories) == 9


@pytest.mark.parametrize("used", [300, 765])
def test_an_hour_that_is_partly_used_has_only_its_rest_for_catching_up(used: int) -> None:
    poller = refilled(Poller(40, ago(minutes=30), NOW, NOW, ((ago(minutes=30), used),)), NOW, 900, RULES)
    more = catch_up(poller, remaining=900 - used, limit=900, rules=RULES)
    assert more + 40 + used <= max(765, used + 40)
    assert allowance(poller, remaining=900, limit=900, rules=RULES) <= 765 - used
    over = refilled(poller, NOW + timedelta(minutes=30), 900, RULES)
    assert catch_up(over, remaining=900, limit=900, rules=RULES) == 382


def test_what_others_have_used_of_the_account_is_not_spent_on_catching_up() -> None:
    poller = refilled(None, NOW, 900, RULES)
    assert catch_up(poller, remaining=250, limit=900, rules=RULES) == 75
    assert catch_up(poller, remaining=100, limit=900, rules=RULES) == 0


@settings(max_examples=60)
@given(
    ceiling=st.integers(30, 5000),
    ticks=st.lists(st.tuples(st.integers(1, 1200), st.integers(0, 500)), min_size=5, max_size=120),
)
def test_no_hour_of_looks_exceeds_its_share_of_the_ceiling(ceiling: int, ticks: list[tuple[int, int]]) -> None:
    now, poller = NOW, None
    sent: list[tuple[datetime, int]] = []
    for pause, wanted in ticks:
        now += timedelta(seconds=pause)
        poller = refilled(poller, now, ceiling, RULES)
        more = catch_up(poller, remaining=ceiling, limit=ceiling, rules=RULES)
        count = min(wanted, more + allowance(poller, remaining=ceiling, limit=ceiling, rules=RULES))
        poller = spent(poller, count)
        sent.append((now, count))
    for end, _ in sent:
        in_hour = sum(count for moment, count in sent if end - timedelta(hours=1) < moment <= end)
        assert in_hour <= ceiling * (1 - RULES.reserve) + 1


def test_a_clock_that_goes_back_gives_no_tokens_and_stops_nothing() -> None:
    poller = refilled(Poller(1.0, NOW + timedelta(hours=2), NOW + timedelta(hours=2), NOW), NOW, 900, RULES)
    assert poller.tokens == 1.0
    ahead = PollState("a", polled_at=NOW + timedelta(hours=2))
    chosen = plan([ahead], poller, NOW, requests=5, limit=900, webhooks=False, rules=RULES)
    assert chosen.list_changes
    assert chosen.repositories == ("a",)


def test_under_lasting_overload_everybody_still_gets_a_turn() -> None:
    states = {f"r{n}": PollState(f"r{n}", is_running=n < 60) for n in range(200)}
    looks = dict.fromkeys(states, 0)
    poller, now = None, NOW
    for _ in range(180):
        now += timedelta(minutes=1)
        poller = refilled(poller, now, 900, RULES)
        requests = allowance(poller, remaining=900, limit=900, rules=RULES)
        chosen = plan(states.values(), poller, now, requests=requests, limit=900, webhooks=False, rules=RULES)
        poller = spent(poller, len(chosen.repositories) + (chosen.list_changes or chosen.list_all))
        poller = listed(poller, now, everything=True)
        for name in chosen.repositories:
            looks[name] += 1
            states[name] = after_look(states[name], now, is_running=states[name].is_running, latest=None)
    assert min(looks.values()) >= 1
    running = [looks[name] for name in looks if states[name].is_running]
    assert max(running) <= 1.25 * min(running)  # the first look decides whose turn comes a little earlier
