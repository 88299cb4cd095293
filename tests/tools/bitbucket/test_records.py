"""Records read what Bitbucket sends, also when it is incomplete, null or new."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bitbucket.records import (
    Commit,
    Deployment,
    Pipeline,
    PipelineState,
    PipelineStep,
    PipelineTarget,
    PullRequest,
    Repository,
    Runner,
)

SMALLEST: dict[str, Any] = {"uuid": "{1}", "created_on": "2026-10-06T12:00:00Z"}


def pipeline(**fields: Any) -> Pipeline:
    return Pipeline.model_validate({**SMALLEST, **fields})


def state(name: str, result: str = "", stage: str = "", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": name, "type": "pipeline_state"}
    if result:
        body["result"] = {"name": result, **more}
    if stage:
        body["stage"] = {"name": stage}
    return body


@pytest.mark.parametrize(
    ("given_state", "finished", "failed", "successful", "stopped"),
    [
        (state("COMPLETED", "SUCCESSFUL"), True, False, True, False),
        (state("COMPLETED", "FAILED"), True, True, False, False),
        (state("COMPLETED", "ERROR"), True, True, False, False),
        (state("COMPLETED", "STOPPED"), True, False, False, True),
        (state("COMPLETED", "EXPIRED"), True, False, False, False),
        (state("COMPLETED", "SOMETHING_OF_2031"), True, False, False, False),
        (state("IN_PROGRESS", stage="RUNNING"), False, False, False, False),
        (state("PENDING"), False, False, False, False),
        (state("A_NEW_STATE"), False, False, False, False),
        (None, False, False, False, False),
        ({}, False, False, False, False),
        ({"name": "COMPLETED", "result": None}, True, False, False, False),
    ],
)
def test_states_known_and_unknown(
    given_state: Any, finished: bool, failed: bool, successful: bool, stopped: bool
) -> None:
    read = pipeline(state=given_state)
    assert (read.is_finished, read.failed, read.successful, read.stopped) == (finished, failed, successful, stopped)


@pytest.mark.parametrize(
    ("given_state", "running", "waiting"),
    [
        (state("IN_PROGRESS", stage="RUNNING"), True, False),
        (state("PENDING"), True, False),
        (state("IN_PROGRESS", stage="PAUSED"), False, True),
        (state("PAUSED"), False, True),
        (state("HALTED"), False, True),
        (state("COMPLETED", "FAILED"), False, False),
        ({}, False, False),
    ],
)
def test_waiting_for_a_person_is_not_running(given_state: Any, running: bool, waiting: bool) -> None:
    read = pipeline(state=given_state).state
    assert (read.is_running, read.is_waiting) == (running, waiting)


@pytest.mark.parametrize(
    "body",
    [
        state("COMPLETED", "ERROR", error={"key": "k", "message": "memory"}),
        {**state("COMPLETED", "ERROR"), "error": {"message": "memory"}},
        {"name": "IN_PROGRESS", "stage": {"name": "HALTED", "error": {"message": "memory"}}},
    ],
)
def test_the_error_beside_the_log_is_found_wherever_it_stands(body: dict[str, Any]) -> None:
    assert PipelineStep.model_validate({"uuid": "{2}", "state": body}).error_message == "memory"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            {"type": "pipeline_state_in_progress", "stage": {"type": "pipeline_state_in_progress_paused"}},
            ("IN_PROGRESS", "PAUSED", ""),
        ),
        (
            {"type": "pipeline_step_state_pending", "stage": {"type": "pipeline_step_state_pending_paused"}},
            ("PENDING", "PAUSED", ""),
        ),
        (
            {"type": "pipeline_state_completed", "result": {"type": "pipeline_state_completed_failed"}},
            ("COMPLETED", "", "FAILED"),
        ),
        (
            {"type": "pipeline_step_state_completed", "result": {"type": "pipeline_step_state_completed_not_run"}},
            ("COMPLETED", "", "NOT_RUN"),
        ),
    ],
)
def test_a_state_without_a_name_is_known_by_its_type(body: dict[str, Any], words: tuple[str, str, str]) -> None:
    read = pipeline(state=body).state
    assert (read.name, read.stage, read.result) == words


def test_a_null_is_the_same_as_nothing() -> None:
    fields = dict.fromkeys(["state", "target", "trigger", "creator", "repository", "completed_on", "variables"])
    assert pipeline(**fields) == pipeline()


def test_times_become_utc_whatever_their_spelling() -> None:
    noon = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
    for text in ("2026-10-06T14:00:00+02:00", "2026-10-06T12:00:00", "2026-10-06T12:00:00.000000000Z"):
        assert pipeline(created_on=text).created_on == noon


def test_the_page_for_people() -> None:
    assert pipeline(links={"html": {"href": "https://x.example/1"}}).url == "https://x.example/1"
    by_name = pipeline(build_number=7, repository={"full_name": "acme/shop"})
    assert by_name.url == "https://bitbucket.org/acme/shop/pipelines/results/7"
    assert pipeline().url == ""


def test_target_keys_tell_definitions_apart_and_ignore_the_commit() -> None:
    def key(**fields: Any) -> str:
        return PipelineTarget.model_validate(fields).key

    main = {"type": "pipeline_ref_target", "ref_type": "branch", "ref_name": "main"}
    one = key(**main, commit={"hash": "aaa"}, selector={"type": "branches", "pattern": "main"})
    assert one == key(**main, commit={"hash": "bbb"}, selector={"type": "branches", "pattern": "main"})
    assert one != key(**main, commit={"hash": "aaa"}, selector={"type": "custom", "pattern": "nightly"})
    request = {"type": "pipeline_pullrequest_target", "source": "main", "commit": {"hash": "aaa"}}
    assert key(**request, pullrequest={"id": 1}) != key(**request, pullrequest={"id": "2"})
    lone = {"type": "pipeline_commit_target"}
    assert key(**lone, commit={"hash": "aaa"}) != key(**lone, commit={"hash": "bbb"})


def test_nested_answers_become_flat() -> None:
    request = PullRequest.model_validate(
        {"id": 3, "source": {"branch": {"name": "f"}, "commit": {"hash": "abc"}}, "destination": None}
    )
    assert (request.source, request.source_commit, request.destination) == ("f", "abc", "")
    commit = Commit.model_validate({"hash": "abc", "author": {"raw": "A <a@x>"}, "parents": [{"hash": "def"}]})
    assert (commit.author, commit.parents) == ("A <a@x>", ("def",))
    deployed = Deployment.model_validate(
        {"uuid": "{3}", "state": {"name": "COMPLETED", "status": {"name": "FAILED"}}, "step": {"uuid": "{2}"}}
    )
    assert (deployed.state, deployed.status, deployed.step_uuid) == ("COMPLETED", "FAILED", "{2}")
    busy = Runner.model_validate({"name": "r", "state": {"status": "ONLINE", "step": {"uuid": "{2}"}}})
    assert (busy.is_online, busy.is_busy) == (True, True)
    assert Repository.model_validate({"full_name": "acme/my-shop", "name": "My Shop"}).slug == "my-shop"


def test_records_survive_being_written_and_read_again() -> None:
    read = pipeline(
        state=state("COMPLETED", "FAILED", error={"message": "m"}),
        target={"type": "pipeline_ref_target", "ref_name": "main", "commit": {"hash": "abc"}},
        trigger={"type": "pipeline_trigger_push"},
    )
    assert Pipeline.model_validate(read.model_dump(mode="json")) == read
    step = PipelineStep.model_validate({"uuid": "{2}", "runs_on": ["linux"], "script_commands": [{"command": "make"}]})
    assert PipelineStep.model_validate(step.model_dump(mode="json")) == step


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["name", "result", "stage", "error", "message", "type", "terminator"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_no_state_however_odd_counts_as_failed_by_accident(body: Any) -> None:
    """Either it cannot be read, which the client reports, or it says COMPLETED and FAILED or ERROR in so many words."""
    try:
        read = PipelineState.model_validate(body)
    except ValueError:
        return
    assert read.failed == (read.name == "COMPLETED" and read.result in ("FAILED", "ERROR"))
    assert not (read.failed and read.successful)
