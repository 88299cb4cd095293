"""The CI watch where Bitbucket answers as it is recorded to answer, and not as one would expect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crews.ci_watch.polling import FULL_LISTING
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.findings.life import FindingState
from opscrew.model.action import ActionState
from opscrew.model.finding import Finding
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop")
        running.world.add_repository("payments", "maven")
        yield running


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[BitbucketWatch]:
    """A watch whose re-runs a person approves."""
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "approve"}) as running:
        running.world.add_repository("shop")
        yield running


def execution(watch: BitbucketWatch) -> Execution:
    context = watch.context
    return Execution(context.engine, context.settings, context.clock, context.uptime)


def actions(watch: BitbucketWatch) -> list[ActionRecord]:
    return list(execution(watch).list())


def told(watch: BitbucketWatch) -> list[Finding]:
    return [entry.finding for entry in watch.ledger.open()]


def codes(watch: BitbucketWatch) -> list[str]:
    return sorted(one.code for one in told(watch))


def runs(watch: BitbucketWatch, slug: str = "shop") -> int:
    return len(watch.world.repositories[slug].runs)


def steps_reshaped(kind: str, name: str, change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Changes entries of lists: of one type, and where ``name`` is given, with that name."""

    def reshape(entry: dict[str, Any]) -> Any:
        return change(entry) if entry["type"] == kind and name in ("", entry.get("name")) else entry

    return reshape


def test_a_deployment_step_that_never_ran_has_times_and_stands_in_no_way(watch) -> None:
    run = watch.world.push("shop", "before_deploy_flaky")
    watch.clock.forward(minutes=3)
    _, deploy = watch.context.systems.bitbucket.steps("shop", run.uuid)
    assert deploy.started_on is not None
    assert not deploy.has_started
    watch.rounds(8)
    assert [one.state for one in actions(watch)] == [ActionState.SUCCEEDED]
    assert runs(watch) == 2


def test_failed_steps_that_run_again_in_place_are_judged_again(asking) -> None:
    run = asking.world.push("shop", "flaky_then_failing")
    asking.rounds(4)
    (waiting,) = actions(asking)
    assert codes(asking) == ["CI_TRANSIENT_NETWORK"]
    asking.world.repeat_failed_steps(run)
    asking.rounds(5)
    (finding,) = told(asking)
    assert finding.code == "CI_GENUINE_FAILURE"
    assert finding.details["pipeline_uuid"] == run.uuid
    execution(asking).approve(waiting.id, "ada")
    asking.rounds(2)
    (record,) = actions(asking)
    assert record.state is ActionState.REFUSED
    assert record.note == "its steps were run again in place since it was judged"
    assert runs(asking) == 1


def test_failed_steps_that_pass_in_place_end_the_failure(asking) -> None:
    run = asking.world.push("shop", "before_deploy_flaky")
    asking.rounds(4)
    asking.world.repeat_failed_steps(run)
    asking.rounds(1)
    assert codes(asking) == ["CI_TRANSIENT_NETWORK"], "nothing is over while it runs"
    asking.rounds(4)
    assert codes(asking) == []


ODD_STEPS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda step: "Deploy",
    "nothing": lambda step: None,
    "state as a word": lambda step: step | {"state": "COMPLETED"},
    "state without a name": lambda step: step | {"state": {"name": 7, "stage": {"name": "RUNNING"}}},
    "result as a number": lambda step: step | {"state": {"name": "COMPLETED", "result": {"name": 4}}},
    "no state": lambda step: {key: value for key, value in step.items() if key != "state"},
    "completed without a result": lambda step: step | {"state": {"name": "COMPLETED"}},
    "no uuid": lambda step: step | {"uuid": None},
    "uuid as a number": lambda step: step | {"uuid": 12},
    "odd start": lambda step: step | {"started_on": "a minute ago"},
    "odd run number": lambda step: step | {"run_number": [2]},
    "odd error": lambda step: (
        step | {"state": {"name": "COMPLETED", "result": {"name": "NOT_RUN", "error": {"key": 3}}}}
    ),
}


@pytest.mark.parametrize("odd", ODD_STEPS)
def test_a_step_that_cannot_be_read_is_never_run_again(watch, odd: str) -> None:
    watch.world.push("shop", "before_deploy_flaky")
    watch.world.reshape = steps_reshaped("pipeline_step", "Deploy", ODD_STEPS[odd])
    watch.rounds(5)
    (finding,) = told(watch)
    assert finding.code == "CI_RERUN_IMPOSSIBLE"
    assert "cannot be read" in finding.cause
    assert (actions(watch), runs(watch)) == ([], 1)


ODD_DEPLOYMENTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "no object": lambda one: ["Staging"],
    "state as a number": lambda one: one | {"state": 3},
    "no state": lambda one: one | {"state": None},
    "whose is not said": lambda one: one | {"release": {}, "step": None},
    "odd start": lambda one: one | {"state": {"name": "UNDEPLOYED", "started_on": {"at": 1}}},
}


@pytest.mark.parametrize("odd", ODD_DEPLOYMENTS)
def test_a_deployment_that_cannot_be_read_may_be_this_pipelines(watch, odd: str) -> None:
    watch.world.push("shop", "before_deploy_flaky")
    watch.world.reshape = steps_reshaped("deployment", "", ODD_DEPLOYMENTS[odd])
    watch.rounds(5)
    (finding,) = told(watch)
    assert finding.code == "CI_RERUN_IMPOSSIBLE"
    assert "one of the deployments cannot be read" in finding.cause
    assert runs(watch) == 1


ONLY_ODD: dict[str, dict[str, Any]] = {
    "labels as an object": {"labels": {}},
    "labels that say something": {"labels": {"size": "2x"}, "runs_on": 5},
    "a fraction of a second": {"duration_in_seconds": 1.5, "build_seconds_used": 0.25},
    "an odd image and odd commands": {"image": 3, "script_commands": 7, "setup_commands": "none"},
    "an odd trigger": {"trigger": "REDEPLOY"},
    "fields of next year": {"attempt": {"n": 1}, "maxTime": "unlimited"},
}


@pytest.mark.parametrize("odd", ONLY_ODD)
def test_oddities_on_which_nothing_hangs_stop_nothing(watch, odd: str) -> None:
    watch.world.push("shop", "before_deploy_flaky")
    watch.world.reshape = lambda entry: entry | (ONLY_ODD[odd] if entry["type"] == "pipeline_step" else {})
    watch.rounds(8)
    assert [one.state for one in actions(watch)] == [ActionState.SUCCEEDED]


def test_an_odd_deployment_step_that_had_started_is_still_a_deployment(watch) -> None:
    watch.world.push("shop", "deploy_flaky")
    watch.world.reshape = steps_reshaped(
        "pipeline_step", "Deploy", lambda step: step | {"labels": {}, "duration_in_seconds": 1.5}
    )
    watch.rounds(5)
    (finding,) = told(watch)
    assert "the deployment to Production in step 'Deploy' had started" in finding.cause
    assert runs(watch) == 1


def test_a_newer_pipeline_that_cannot_be_read_leaves_the_older_alone(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.world.push("shop", "running")

    def reshape(entry: dict[str, Any]) -> Any:
        return entry | {"created_on": "just now"} if entry.get("build_number") == 2 else entry

    watch.world.reshape = reshape
    watch.rounds(5)
    assert runs(watch) == 2
    assert actions(watch) == []


def test_a_definition_that_does_not_parse_is_told_in_bitbuckets_words(watch) -> None:
    watch.world.push("shop", "no_definition")
    watch.rounds(3)
    (finding,) = told(watch)
    assert finding.code == "CI_GENUINE_FAILURE"
    assert "(pipeline-definition): There is an error in your bitbucket-pipelines.yml at [pipelines" in finding.cause
    assert any(one.text.endswith("Missing or empty command string.") for one in finding.evidence)


REFUSED = [(403, "Your credentials lack one or more required privilege scopes."), (404, "Not found"), (410, "Gone")]


@pytest.mark.parametrize(("status", "words"), REFUSED)
def test_what_is_refused_for_one_repository_is_told_for_that_repository(watch, status: int, words: str) -> None:
    watch.world.push("payments", "failing")
    watch.rounds(4)
    assert codes(watch) == ["CI_GENUINE_FAILURE"]
    watch.world.faults.add("refused", path="/acme/payments/pipelines", status=status, words=words, times=-1)
    down = [run.unavailable for run in (watch.round(4) for _ in range(30)) if "bitbucket" in run.unavailable]
    assert down == []
    assert codes(watch) == ["CI_GENUINE_FAILURE", "CI_REPOSITORY_REFUSED"], "what failed there stands"
    (refused,) = (one for one in told(watch) if one.code == "CI_REPOSITORY_REFUSED")
    assert str(refused.subject) == "repository acme/payments"
    assert str(status) in refused.cause
    watch.world.faults.clear()
    watch.clock.forward(hours=1)
    watch.rounds(3)
    assert codes(watch) == ["CI_GENUINE_FAILURE"]


def test_a_token_that_is_refused_everywhere_is_told_once(watch) -> None:
    watch.world.faults.add("refused", status=401, words="Token is invalid, expired, or not supported", times=-1)
    watch.rounds(3)
    assert codes(watch) == ["SYSTEM_UNAVAILABLE"]


def test_the_second_of_three_steps_of_one_name_is_not_the_first(watch) -> None:
    watch.world.push("shop", "same_names")
    watch.rounds(4)
    (finding,) = told(watch)
    assert finding.details["failed_steps"] == ["Test (2. of this name)"]
    watch.world.push("shop", "same_names_then_waiting")
    watch.rounds(4)
    assert codes(watch) == ["CI_GENUINE_FAILURE"], "only the first Test has passed"
    watch.world.push("shop", "passing")
    watch.rounds(5)
    assert codes(watch) == []


def test_a_merge_queue_is_told_by_the_branch_that_it_merges_into(watch) -> None:
    watch.world.merge_queue("shop", "failing")
    watch.rounds(4)
    (finding,) = told(watch)
    assert str(finding.subject) == "branch acme/shop/main"
    assert "of the merge queue failed" in finding.cause
    watch.world.push("shop", "failing")
    watch.rounds(4)
    assert codes(watch) == ["CI_GENUINE_FAILURE"] * 2, "the branch itself is another matter"
    watch.world.merge_queue("shop", "failing")
    watch.rounds(4)
    assert codes(watch) == ["CI_GENUINE_FAILURE"] * 2
    watch.world.merge_queue("shop", "passing")
    watch.rounds(5)
    assert codes(watch) == ["CI_GENUINE_FAILURE"]


def test_a_halted_pipeline_is_told_until_it_goes_on(watch) -> None:
    run = watch.world.push("shop", "halted")
    watch.rounds(2)
    (finding,) = told(watch)
    assert (finding.code, str(finding.subject)) == ("CI_PIPELINE_HALTED", "branch acme/shop/main")
    watch.clock.forward(hours=24 * 50)
    watch.rounds(2)
    assert codes(watch) == ["CI_PIPELINE_HALTED"]
    watch.world.stop(run, "Ada")
    watch.clock.forward(hours=1)
    watch.rounds(3)
    assert codes(watch) == []


def test_a_halted_rerun_has_an_outcome(watch) -> None:
    watch.world.push("shop", "flaky_then_halted")
    watch.rounds(8)
    (record,) = actions(watch)
    assert record.state is ActionState.FAILED
    assert record.note == "re-run #2 was halted by Bitbucket before the step that had failed"
    assert "CI_PIPELINE_HALTED" in codes(watch)


def test_what_a_sent_request_was_answered_reaches_the_person(asking) -> None:
    entry = asking.world.repositories["shop"]
    tag = asking.world.push("shop", "flaky", tag="v1")
    asking.rounds(4)
    (waiting,) = actions(asking)
    entry.without_definition.add(tag.target.commit)
    execution(asking).approve(waiting.id, "ada")
    asking.rounds(3)
    (record,) = actions(asking)
    assert record.state is ActionState.FAILED
    assert "bitbucket-pipelines.yml not found." in record.note
    assert "no bitbucket-pipelines.yml at that commit" in record.note
    assert "token" not in record.note


def test_a_commit_that_is_gone_is_said_in_bitbuckets_words(asking) -> None:
    run = asking.world.push("shop", "flaky")
    asking.rounds(4)
    (waiting,) = actions(asking)
    entry = asking.world.repositories["shop"]
    entry.commits = [one for one in entry.commits if one.hash != run.target.commit]
    execution(asking).approve(waiting.id, "ada")
    asking.rounds(3)
    (record,) = actions(asking)
    assert record.state is ActionState.FAILED
    assert "Could not find the revision" in record.note
    assert "no longer in the repository" in record.note


def test_a_request_that_breaks_bitbucket_says_how(asking) -> None:
    asking.world.push("shop", "flaky")
    asking.rounds(4)
    (waiting,) = actions(asking)
    asking.world.faults.add("broken", method="POST", times=-1)
    execution(asking).approve(waiting.id, "ada")
    notes = [record.note for _ in range(3) for record in (asking.round() and actions(asking))]
    assert any("RESULT_SERVICE_POST_PIPELINE" in note for note in notes)
    assert not any("token" in note for note in notes)


def paged(watch: BitbucketWatch, between: Callable[[], object]) -> None:
    """Has ``between`` happen after the first page of the next full listing."""
    seen: list[httpx.Response] = []

    def look(response: httpx.Response) -> None:
        if response.request.url.path.endswith("/repositories/acme") and not seen:
            seen.append(response)
            between()

    watch.context.systems.bitbucket._http.event_hooks = {"response": [look]}


@pytest.mark.parametrize("tells_next", [True, False])
@pytest.mark.parametrize("event", ["push", "deletion", "creation"])
def test_a_repository_that_moves_while_the_list_is_paged_is_not_gone(watch, event: str, tells_next: bool) -> None:
    world = watch.world
    for number in range(150):
        watch.clock.forward(seconds=1)
        world.add_repository(f"repo{number:03}")
    watch.clock.forward(seconds=1)
    world.push("shop", "failing")
    watch.round()
    watch.clock.forward(minutes=3)
    watch.context.woken_by.put("shop")
    watch.round()
    assert codes(watch) == ["CI_GENUINE_FAILURE"]
    for number in range(150):
        watch.clock.forward(seconds=1)
        world.repositories[f"repo{number:03}"].updated = watch.clock()
    world.pages_tell_next = tells_next
    moves = {
        "push": lambda: world.push("shop", "failing"),
        "deletion": lambda: world.repositories.pop("repo149"),
        "creation": lambda: world.add_repository("brand-new"),
    }
    assert FULL_LISTING > 150
    paged(watch, moves[event])
    watch.clock.forward(hours=25)
    gone = [run.summary for run in (watch.round() for _ in range(3)) if "no longer watched" in run.summary]
    assert gone == [], "not even what was deleted: the listing had named it already"
    assert "CI_GENUINE_FAILURE" in codes(watch)
    assert not [one for one in watch.ledger.list([FindingState.RESOLVED]) if one.finding.code == "CI_GENUINE_FAILURE"]
