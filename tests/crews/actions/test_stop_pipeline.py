"""Stopping a pipeline over real HTTP: proposed, approved, stopped, and seen to have stopped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crews.actions.stop_pipeline import StopPipeline
from crews.runtime.registry import find_crew
from opscrew.actions.execution import Execution
from opscrew.actions.executor import SendRefusedError
from opscrew.ci.rerun.stop import stop_action
from opscrew.model.action import Action, ActionState
from opscrew.model.run import RunOutcome
from tests.support.sandboxes import START, BitbucketWatch, bitbucket_watch
from tools.errors import TemporaryError


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop")
        running.world.push("shop", "passing")
        running.clock.forward(seconds=30)
        yield running


@pytest.fixture
def executor(watch) -> StopPipeline:
    return StopPipeline(watch.context.systems.bitbucket)


@pytest.fixture
def action(watch) -> Action:
    pipeline = watch.context.systems.bitbucket.pipeline("shop", 1)
    assert pipeline.state.is_running
    return stop_action(pipeline, "acme/shop", "it is too slow", ())


def run(watch: BitbucketWatch, name: str) -> RunOutcome:
    crew = find_crew(name)
    assert crew is not None
    return crew.run(watch.context).outcome


def test_it_waits_for_a_person_and_is_then_carried_out_and_verified(watch, action) -> None:
    context = watch.context
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    proposed = execution.propose(action)
    assert run(watch, "action_upkeep") is RunOutcome.OK
    assert context.systems.bitbucket.pipeline("shop", 1).state.is_running
    execution.approve(proposed.id, "ada")
    assert run(watch, "ci_watch") is RunOutcome.OK  # which leaves it to the upkeep
    assert run(watch, "action_upkeep") is RunOutcome.OK
    assert run(watch, "action_upkeep") is RunOutcome.OK
    done = execution.get(proposed.id)
    assert (done.state, done.note) == (ActionState.SUCCEEDED, "#1 is stopped")
    assert context.systems.bitbucket.pipeline("shop", 1).stopped


def test_a_pipeline_that_ended_by_itself_is_left_alone(watch, executor, action) -> None:
    assert executor.precondition(action) is None
    watch.clock.forward(minutes=10)
    assert executor.precondition(action) == "it has already ended"
    with pytest.raises(SendRefusedError, match="already ended"):
        executor.send(action)


def test_too_late_is_a_failure(watch, executor, action) -> None:
    receipt = executor.send(action)
    run_of_shop = watch.world.repositories["shop"].runs[0]
    run_of_shop.stopped_at, run_of_shop.stopped_by = None, ""
    assert executor.outcome(action, receipt) is None
    watch.clock.forward(minutes=10)
    outcome = executor.outcome(action, receipt)
    assert outcome is not None
    assert (outcome.succeeded, outcome.text) == (False, "#1 ended successful before it could be stopped")


def test_a_lost_answer_is_settled_by_the_pipeline_itself(watch, executor, action) -> None:
    assert executor.find_sent(action, START) is None
    watch.world.faults.add("drop_after", method="POST")
    with pytest.raises(TemporaryError):
        executor.send(action)
    watch.clock.forward(seconds=10)
    found = executor.find_sent(action, START)
    assert found is not None
    assert found.detail == "told to stop"


def test_a_clear_refusal_ends_the_action(watch, executor, action) -> None:
    watch.world.faults.add("error", method="POST", status=403)
    with pytest.raises(SendRefusedError):
        executor.send(action)
