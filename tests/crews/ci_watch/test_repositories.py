"""Which repositories the CI watch looks at, when, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from crews.runtime.systems import Systems
from opscrew.ci.watch.poll_states import load_states
from opscrew.model.run import RunOutcome
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        for slug, language in {"shop": "python", "payments": "maven", "search": "go"}.items():
            running.world.add_repository(slug, language)
        yield running


def open_codes(watch: BitbucketWatch) -> list[str]:
    return sorted(entry.finding.code for entry in watch.ledger.open())


@pytest.mark.parametrize("count", [63, 200])
def test_the_first_round_looks_at_every_repository(tmp_path, count: int) -> None:
    with bitbucket_watch(tmp_path) as watch:
        for number in range(count):
            watch.world.add_repository(f"r{number:03}")
        watch.world.push("r000", "failing")
        run = watch.round(3)
        assert run.summary.startswith(f"{count} repositories looked at, 1 failures judged")
        assert "left out" not in run.summary
        assert {state.polled_at for state in load_states(watch.context.engine, "acme").values()} == {watch.clock()}
        used = 900 - watch.context.systems.bitbucket.budget.remaining
        assert used <= count + 10
        # A daemon that starts anew each minute must not make as many looks again.
        with Systems(watch.context.settings, watch.clock, watch.context.metrics) as systems:
            again = BitbucketWatch(watch.world, watch.clock, replace(watch.context, systems=systems))
            assert int(again.round().summary.split()[0]) <= 20


def test_after_a_pause_of_hours_every_repository_is_looked_at_at_once(tmp_path) -> None:
    with bitbucket_watch(tmp_path) as watch:
        for number in range(100):
            watch.world.add_repository(f"r{number:03}")
        watch.rounds(2)
        watch.clock.forward(hours=3)
        assert "100 repositories looked at" in watch.round().summary


def test_what_the_budget_has_no_room_for_is_named(tmp_path) -> None:
    with bitbucket_watch(tmp_path) as watch:
        for number in range(30):
            watch.world.add_repository(f"r{number:02}")
        part = watch.context.settings.bitbucket.model_copy(update={"requests_per_hour": 30})
        settings = watch.context.settings.model_copy(update={"bitbucket": part})
        with Systems(settings, watch.clock, watch.context.metrics) as systems:
            small = BitbucketWatch(watch.world, watch.clock, replace(watch.context, settings=settings, systems=systems))
            run = small.round()
        seen = {name for name, state in load_states(watch.context.engine, "acme").items() if state.polled_at}
        left = sorted(set(watch.world.repositories) - seen)
        assert 5 <= len(left) < 30
        told = f"{len(left)} repositories left out for now by the request budget: {', '.join(left[:10])}"
        assert told in run.summary


def test_a_round_that_gives_up_says_what_it_did_not_look_at(watch) -> None:
    for number in range(20):
        watch.world.add_repository(f"r{number:02}")
    watch.world.faults.add("error", path="/pipelines", times=-1)
    run = watch.round()
    assert run.unavailable == ("bitbucket",)
    assert "repositories left out for now" in run.summary


def test_only_the_wanted_repositories_are_watched(tmp_path) -> None:
    with bitbucket_watch(tmp_path) as watch:
        part = watch.context.settings.bitbucket.model_copy(update={"repositories": ("pay*",)})
        settings = watch.context.settings.model_copy(update={"bitbucket": part})
        context = watch.context.__class__(**(watch.context.__dict__ | {"settings": settings}))
        narrow = BitbucketWatch(watch.world, watch.clock, context)
        for slug in ("shop", "payments"):
            watch.world.add_repository(slug)
            watch.world.push(slug, "failing")
        narrow.rounds(5)
        assert [entry.finding.subject.scope for entry in narrow.ledger.open()] == ["acme/payments"]


def test_a_repository_that_is_gone_is_forgotten_with_what_failed_in_it(watch) -> None:
    watch.world.push("shop", "failing")
    watch.rounds(4)
    assert open_codes(watch) == ["CI_GENUINE_FAILURE"]
    del watch.world.repositories["shop"]
    run = watch.round(60)
    assert "1 could not be read: bitbucket: 404" in run.summary
    assert run.unavailable == ("bitbucket shop",), "until all are listed anew it may be a passing trouble"
    told = [run.summary for run in (watch.round(60) for _ in range(25)) if "no longer watched: shop" in run.summary]
    assert len(told) == 1
    assert open_codes(watch) == []
    assert watch.round(60).unavailable == ()


def test_a_repository_that_is_no_longer_wanted_is_forgotten_at_once(watch) -> None:
    watch.world.push("shop", "failing")
    watch.rounds(4)
    part = watch.context.settings.bitbucket.model_copy(update={"repositories": ("pay*",)})
    narrow = replace(watch.context, settings=watch.context.settings.model_copy(update={"bitbucket": part}))
    BitbucketWatch(watch.world, watch.clock, narrow).round()
    assert open_codes(watch) == []


def test_what_lies_beyond_the_end_of_a_long_list_is_not_gone(watch, monkeypatch) -> None:
    watch.rounds(2)
    part = watch.context.settings.bitbucket.model_copy(update={"repositories": ("shop",)})
    narrow = replace(watch.context, settings=watch.context.settings.model_copy(update={"bitbucket": part}))
    for number in range(3):
        watch.world.add_repository(f"newer{number}")
    monkeypatch.setattr("crews.ci_watch.polling.FULL_LISTING", 3)
    watch.clock.forward(hours=25)
    BitbucketWatch(watch.world, watch.clock, narrow).round()
    assert set(load_states(watch.context.engine, "acme")) == {"shop"}, "watched, and not among the three that are newer"


def test_a_list_that_is_suddenly_empty_ends_nothing(watch) -> None:
    watch.world.push("shop", "failing")
    watch.rounds(4)
    kept = dict(watch.world.repositories)
    watch.world.repositories.clear()
    for _ in range(26):
        watch.round(60)
    watch.world.repositories.update(kept)
    assert "CI_GENUINE_FAILURE" in open_codes(watch)


def test_a_webhook_before_the_first_look_hides_no_repository(watch) -> None:
    for number in range(120):
        watch.world.add_repository(f"old{number}")
    watch.clock.forward(hours=1)
    watch.world.push("shop", "running")
    watch.context.woken_by.put("shop")
    watch.round()
    assert len(load_states(watch.context.engine, "acme")) == 123


def test_a_webhook_wakes_a_quiet_repository(watch) -> None:
    watch.round()
    watch.clock.forward(hours=3)
    watch.round(0)
    watch.world.push("shop", "failing")
    watch.clock.forward(minutes=2)
    watch.context.woken_by.put("shop")
    watch.round(0)
    assert open_codes(watch) == ["CI_GENUINE_FAILURE"]


def test_bitbucket_that_is_down_is_a_finding_and_resolves_nothing(watch) -> None:
    watch.world.push("payments", "failing")
    watch.rounds(4)
    watch.world.faults.add("error", times=-1)
    run = watch.round()
    assert run.outcome is RunOutcome.PARTIAL
    assert run.unavailable == ("bitbucket",)
    assert open_codes(watch) == ["CI_GENUINE_FAILURE", "SYSTEM_UNAVAILABLE"]
    watch.world.faults.clear()
    watch.clock.forward(hours=1, minutes=5)
    watch.rounds(2)
    assert open_codes(watch) == ["CI_GENUINE_FAILURE"]


def test_rounds_that_ask_nothing_do_not_say_that_bitbucket_is_back(watch) -> None:
    watch.round()
    watch.world.faults.add("limited", seconds=3000)
    watch.round()
    assert open_codes(watch) == ["SYSTEM_UNAVAILABLE"]
    watch.rounds(10)  # silent, as Bitbucket asked
    assert open_codes(watch) == ["SYSTEM_UNAVAILABLE"]
    watch.clock.forward(hours=1)
    watch.rounds(2)
    assert open_codes(watch) == []


def test_twenty_minutes_use_no_more_than_their_share_of_the_hour(watch) -> None:
    for slug in ("shop", "payments", "search"):
        watch.world.push(slug, "running")
    before = watch.context.systems.bitbucket.budget.remaining
    watch.rounds(20)
    used = before - watch.context.systems.bitbucket.budget.remaining
    assert 0 < used <= 20 * 900 / 60
