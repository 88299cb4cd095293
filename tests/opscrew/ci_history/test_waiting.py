"""How long a step was queued is worked out from what it waited for, and left open where that cannot be told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opscrew.ci_history.waiting import queue_seconds
from tests.support.ci_runs import step
from tools.bitbucket.records import PipelineStep

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
RECORDED = Path(__file__).resolve().parents[2] / "tools" / "bitbucket" / "data" / "recorded"


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def queues(*steps: PipelineStep) -> list[float | None]:
    return [queue_seconds(NOON, steps, place) for place in range(len(steps))]


def test_steps_one_after_the_other_wait_for_the_one_before() -> None:
    assert queues(step("build", at(10), 60), step("test", at(95), 60)) == [10, 25]


def test_steps_side_by_side_wait_for_the_same_thing() -> None:
    side_by_side = (step("lint", at(75), 100), step("unit", at(80), 30), step("web", at(78), 200))
    assert queues(step("build", at(10), 60), *side_by_side) == [10, 5, 10, 8]


def test_the_step_behind_a_group_waits_for_the_last_of_it() -> None:
    group = (step("lint", at(10), 100), step("unit", at(10), 30))
    assert queues(*group, step("deploy", at(130), 5))[-1] == 20


@pytest.mark.parametrize(
    "odd",
    [
        step("deploy", at(90_000), trigger="manual"),
        step("deploy", at(900), trigger="redeploy", run_number=2),
        step("deploy", None, state="NOT_RUN"),
        step("deploy", at(70), 0, "NOT_RUN"),
        step("deploy", at(70), 0, "stopped"),
    ],
)
def test_what_waited_for_a_person_or_never_began_was_in_no_queue(odd: PipelineStep) -> None:
    assert queues(step("build", at(10), 60), odd) == [10, None]


def test_a_step_behind_one_that_ran_again_is_left_open() -> None:
    assert queues(step("build", at(500), 60, run_number=2), step("test", at(90), 60)) == [None, None]


def test_a_clock_that_runs_ahead_makes_no_negative_wait() -> None:
    assert queues(step("build", at(-0.4), 60)) == [0]


def test_recorded_steps_of_one_name() -> None:
    body = json.loads((RECORDED / "steps_three_of_one_name.json").read_text())["body"]
    steps = [PipelineStep.model_validate(one) for one in body["values"]]
    created = datetime(2023, 2, 20, 9, 11, 30, tzinfo=UTC)
    found = [round(queue_seconds(created, steps, place) or 0, 1) for place in range(3)]
    assert found == [13.4, 11.3, 24.2]
