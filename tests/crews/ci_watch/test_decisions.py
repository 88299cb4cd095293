"""What the CI watch decides about each failure that a re-run may rescue, and what it does not ask twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.ci.watch.open_failures import Rerun, standing_in
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop")
        yield running


def actions(watch: BitbucketWatch) -> list[ActionRecord]:
    context = watch.context
    return list(Execution(context.engine, context.settings, context.clock, context.uptime).list())


def left(watch: BitbucketWatch) -> int:
    return watch.context.systems.bitbucket.budget.remaining


def reruns(watch: BitbucketWatch, slug: str) -> list[Rerun]:
    return [one.rerun for one in standing_in(watch.context.engine, f"acme/{slug}").values()]


@pytest.mark.parametrize("fate", ["deploy_flaky", "secured"])
def test_what_is_impossible_is_kept_as_that_and_bitbucket_is_not_asked_about_it_again(watch, fate: str) -> None:
    watch.world.push("shop", fate)
    watch.rounds(3)
    assert reruns(watch, "shop") == [Rerun.IMPOSSIBLE]
    before = left(watch)
    watch.round(0)
    assert left(watch) == before, "nothing was due, and nothing is to be decided"


def test_what_policy_refuses_is_told_with_its_words_and_is_not_proposed_again(tmp_path) -> None:
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "off"}) as watch:
        watch.world.add_repository("shop")
        watch.world.push("shop", "flaky")
        watch.rounds(3)
        (refused,) = actions(watch)
        (entry,) = watch.ledger.open()
        assert entry.finding.code == "CI_RERUN_IMPOSSIBLE"
        assert f"Not run again: {refused.note}" in entry.finding.cause
        assert "policy" in refused.note
        assert reruns(watch, "shop") == [Rerun.IMPOSSIBLE]


def test_a_repository_that_does_not_answer_keeps_no_other_from_being_decided(watch) -> None:
    watch.world.add_repository("billing")
    watch.world.push("shop", "flaky")  # the older one is asked about first
    watch.clock.forward(seconds=10)
    watch.world.push("billing", "flaky")
    watch.world.faults.add("error", path="/shop/deployments", times=3)
    run = watch.round(3)
    assert [one.action.target.scope for one in actions(watch)] == ["acme/billing"]
    assert "1 problems: branch acme/shop/main: bitbucket: 500" in run.summary
    assert (reruns(watch, "shop"), reruns(watch, "billing")) == ([Rerun.WANTED], [Rerun.PROPOSED])


def test_a_decision_about_a_repository_that_was_not_looked_at_this_time_is_told_at_once(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add("error", path="/shop/deployments", times=3)
    watch.round(3)
    assert reruns(watch, "shop") == [Rerun.WANTED]
    run = watch.round(0)
    assert run.summary.startswith("0 repositories looked at")
    (entry,) = watch.ledger.open()
    assert "Re-run as action" in entry.finding.cause
