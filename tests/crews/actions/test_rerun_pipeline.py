"""Running a pipeline again over real HTTP: sent once, found again, followed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from crews.actions.rerun_pipeline import RerunPipeline
from demo.bitbucket.world import TOKEN
from opscrew.actions.executor import SendRefusedError
from opscrew.ci.rerun.proposal import rerun_action
from opscrew.model.action import Action
from tests.support.sandboxes import START, BitbucketWatch, bitbucket_watch
from tools.bitbucket.client import BitbucketClient
from tools.errors import TemporaryError


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop")
        running.world.push("shop", "flaky")
        running.clock.forward(minutes=5)
        yield running


@pytest.fixture
def executor(watch) -> RerunPipeline:
    return RerunPipeline(watch.context.systems.bitbucket)


@pytest.fixture
def action(watch) -> Action:
    pipeline = watch.context.systems.bitbucket.pipeline("shop", 1)
    return rerun_action(pipeline, "acme/shop", "a blip", (), "")


def test_it_is_sent_found_again_and_followed(watch, executor, action) -> None:
    assert executor.precondition(action) is None
    assert executor.find_sent(action, START) is None
    receipt = executor.send(action)
    assert executor.find_sent(action, START) == receipt
    assert executor.outcome(action, receipt) is None
    watch.clock.forward(minutes=5)
    outcome = executor.outcome(action, receipt)
    assert outcome is not None
    assert outcome.succeeded


def test_a_request_whose_answer_was_lost_is_found_again(watch, executor, action) -> None:
    watch.world.faults.add("drop_after", method="POST")
    with pytest.raises(TemporaryError):
        executor.send(action)
    assert len(watch.world.repositories["shop"].runs) == 2
    receipt = executor.find_sent(action, START)
    assert receipt is not None
    assert receipt.detail == "started as #2"


def test_a_request_that_never_arrived_is_not_found(watch, executor, action) -> None:
    watch.world.faults.add("drop_before", method="POST")
    with pytest.raises(TemporaryError):
        executor.send(action)
    assert executor.find_sent(action, START) is None


def test_a_list_that_does_not_reach_back_to_the_failed_one_proves_nothing(watch, executor, action, monkeypatch) -> None:
    monkeypatch.setattr("crews.actions.rerun_pipeline.LOOK_BACK", 3)
    executor.send(action)
    for number in range(3):
        watch.world.push("shop", "passing", branch=f"other{number}")
    with pytest.raises(TemporaryError, match="does not reach back"):
        executor.find_sent(action, START)
    monkeypatch.undo()
    assert executor.find_sent(action, START) is not None


@pytest.mark.parametrize(
    ("fault", "not_accepted"),
    [
        ({"kind": "limited", "method": "POST", "seconds": 30}, True),
        ({"kind": "error", "method": "POST", "status": 503}, True),
        ({"kind": "error", "method": "GET", "status": 502, "times": 9}, True),  # before anything was asked for
        ({"kind": "error", "method": "POST", "status": 500}, False),
        ({"kind": "error", "method": "POST", "status": 504}, False),
        ({"kind": "drop_before", "method": "POST"}, False),
    ],
)
def test_what_certainly_did_not_arrive_is_told_from_what_may_have(watch, executor, action, fault, not_accepted) -> None:
    watch.world.faults.add(**fault)
    with pytest.raises(TemporaryError) as caught:
        executor.send(action)
    assert caught.value.not_accepted is not_accepted
    assert len(watch.world.repositories["shop"].runs) == 1


def test_a_pipeline_that_is_gone_is_refused_for_good(watch, executor, action) -> None:
    watch.world.faults.add("error", method="GET", status=404)
    with pytest.raises(SendRefusedError):
        executor.send(action)


def test_our_own_ceiling_and_a_closed_port_are_no_attempts_either(watch, action) -> None:
    settings = {"clock": watch.clock, "token": TOKEN, "sleep": lambda seconds: None}
    url = watch.context.settings.bitbucket.url
    with (
        BitbucketClient(url, "acme", requests_per_hour=1, **settings) as client,
        pytest.raises(TemporaryError, match="ceiling of 1 requests") as refused,
    ):
        RerunPipeline(client).send(action)
    assert refused.value.not_accepted
    original = watch.context.systems.bitbucket.pipeline("shop", 1)
    with (
        BitbucketClient("http://127.0.0.1:9/2.0", "acme", **settings) as client,
        pytest.raises(TemporaryError, match="cannot connect") as caught,
    ):
        client.rerun("shop", original)
    assert caught.value.not_accepted


def test_the_oldest_of_several_is_ours(watch, executor, action) -> None:
    receipt = executor.send(action)
    watch.context.systems.bitbucket.rerun("shop", watch.context.systems.bitbucket.pipeline("shop", 1))
    assert executor.find_sent(action, START) == receipt


def test_a_run_of_another_branch_or_commit_is_not_ours(watch, executor, action) -> None:
    watch.world.push("shop", "passing", branch="other")
    watch.world.push("shop", "passing")
    assert executor.find_sent(action, START) is None


def test_a_clear_refusal_ends_the_action(watch, executor, action) -> None:
    watch.world.faults.add("error", method="POST", status=400)
    with pytest.raises(SendRefusedError):
        executor.send(action)


def test_an_answer_of_odd_shape_to_a_request_that_was_carried_out_is_no_refusal(watch, executor, action) -> None:
    watch.world.faults.add("odd_json", method="POST")
    with pytest.raises(Exception) as caught:
        executor.send(action)
    assert not isinstance(caught.value, SendRefusedError)
