"""What a pipeline that waits for a person has already shown."""

from __future__ import annotations

from opscrew.ci.watch.pauses import failed_steps, has_passed, named
from tools.bitbucket.records import PipelineStep


def step(name: str, state: str, inside: str = "", *, started: bool = True) -> PipelineStep:
    key = "result" if state == "COMPLETED" else "stage"
    times = {"started_on": "2026-10-06T12:00:00Z"} if started else {}
    return PipelineStep.model_validate(
        {"uuid": "{1}", "name": name, "state": {"name": state, key: {"name": inside}}, **times}
    )


PASSED = step("Test", "COMPLETED", "SUCCESSFUL")
MANUAL = step("Deploy", "PENDING", "PAUSED", started=False)


def test_what_failed_before_has_passed() -> None:
    assert has_passed([PASSED, MANUAL], {"Test"}) is True


def test_what_failed_before_stands_behind_the_pause() -> None:
    assert has_passed([PASSED, MANUAL], {"Deploy"}) is False


def test_a_step_beside_it_still_runs() -> None:
    assert has_passed([PASSED, step("Lint", "IN_PROGRESS", "RUNNING"), MANUAL], {"Test"}) is None


def test_a_step_without_a_name_proves_nothing() -> None:
    assert has_passed([step("", "COMPLETED", "SUCCESSFUL"), MANUAL], {""}) is False


def test_a_pipeline_that_begins_with_a_manual_step_has_shown_nothing() -> None:
    assert has_passed([MANUAL], ()) is False


def test_those_that_failed_are_named() -> None:
    assert failed_steps([PASSED, step("Lint", "COMPLETED", "ERROR"), MANUAL]) == {"Lint"}


def test_steps_of_one_name_are_told_apart_by_their_place() -> None:
    failed = step("Test", "COMPLETED", "FAILED")
    assert [name for name, _ in named([PASSED, PASSED, MANUAL])] == ["Test", "Test (2. of this name)", "Deploy"]
    before = failed_steps([PASSED, failed, PASSED])
    assert before == {"Test (2. of this name)"}
    assert has_passed([PASSED, step("Test", "PENDING", "PAUSED", started=False)], before) is False
    assert has_passed([PASSED, PASSED, MANUAL], before) is True


def test_a_step_that_cannot_be_read_leaves_it_open() -> None:
    odd = MANUAL.model_copy(update={"unreadable": ("state",)})
    assert has_passed([PASSED, odd], {"Test"}) is None
