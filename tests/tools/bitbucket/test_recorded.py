"""Every recorded answer is read, and read rightly."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.tools.bitbucket.recorded import FOLDER, answering, recorded, reply_of
from tools.bitbucket.failures import Refused
from tools.bitbucket.records import Pipeline, PipelineStep, PipelineTarget, Variable
from tools.bitbucket.rerun_request import missing_for_rerun, rerun_body
from tools.bitbucket.webhook import parse
from tools.errors import PermanentError, TemporaryError, UpstreamError

UUID = "{00000000-0000-4000-8000-000000000001}"


def pipeline(name: str, **changed: object) -> Pipeline:
    with answering(name, **changed) as client:
        return client.pipeline("shop", 1)


def steps(name: str) -> tuple[PipelineStep, ...]:
    with answering(name) as client:
        return client.steps("shop", UUID)


def target(name: str) -> PipelineTarget:
    return pipeline("pipeline_failed", target=recorded(name)["body"]).target


def refusal(name: str, method: str = "GET") -> UpstreamError:
    run = Pipeline.model_validate(
        recorded("pipelines_page_stopped")["body"]["values"][0] | {"uuid": UUID, "variables": []}
    )
    with answering(name) as client, pytest.raises(UpstreamError) as problem:
        client.rerun("shop", run) if method == "POST" else client.pipelines("shop")
    return problem.value


def read_failed_pipeline() -> None:
    found = pipeline("pipeline_failed")
    assert found.failed
    assert (found.target.ref_name, found.duration_in_seconds, found.unreadable) == ("main", 14, ())
    assert missing_for_rerun(found), "its kind of target was not asked for, so it cannot be started again"


def read_failed_pipeline_without_a_second() -> None:
    found = pipeline("pipeline_failed_zero_seconds")
    assert found.failed
    assert found.completed_on is not None
    assert found.completed_on < found.created_on


def read_halted_pipeline() -> None:
    state = pipeline("pipeline_halted").state
    assert (state.is_halted, state.is_waiting, state.is_running, state.is_paused) == (True, True, False, False)


def read_stopped_pipeline() -> None:
    assert pipeline("pipeline_stopped_zero_seconds").stopped


def read_redeployed_pipeline() -> None:
    found = pipeline("pipeline_successful_redeployed")
    assert found.successful
    assert found.completed_on is not None
    assert found.completed_on - found.created_on > timedelta(seconds=found.duration_in_seconds or 0)


def read_custom_pipeline_of_a_pull_request() -> None:
    found = pipeline("pipeline_pullrequest_custom")
    assert found.failed
    assert found.target.selector is not None
    assert (found.target.selector.type, found.target.pull_request_id) == ("custom", "62")
    assert missing_for_rerun(found) is None


def read_failed_pipeline_with_labels() -> None:
    found = pipeline("pipeline_pullrequest_failed_labels")
    assert (found.failed, found.unreadable, found.build_number) == (True, (), 3960)
    assert found.created_on.microsecond == 183580
    assert rerun_body(found)["target"]["destination_commit"] == {"type": "commit", "hash": "82a25abaa772"}


def read_failed_step() -> None:
    (step,) = steps("steps_failed_single")
    assert (step.state.failed, step.duration_in_seconds, step.trigger.name) == (True, 14, "AUTOMATIC")
    assert (step.has_started, step.unreadable) == (True, ())


def read_steps_of_halted() -> None:
    found = steps("steps_of_halted")
    assert [step.state.name for step in found] == ["PENDING"] * 3
    assert not any(step.has_started or step.unreadable for step in found)


def read_steps_that_never_ran() -> None:
    stopped, staging, production = steps("steps_of_stopped_not_run")
    assert stopped.has_started
    for step in (staging, production):
        assert step.started_on == step.completed_on is not None
        assert (step.never_ran, step.has_started, step.unreadable) == (True, False, ())


def read_redeployed_steps() -> None:
    first, *later = steps("steps_redeployed")
    assert (first.run_number, first.trigger.name, first.has_started) == (2, "REDEPLOY", True)
    assert [step.run_number for step in later] == [1, 1]
    assert first.started_on > max(step.started_on for step in later)


def read_three_steps_of_one_name() -> None:
    assert [step.name for step in steps("steps_three_of_one_name")] == ["Test"] * 3


def read_steps_without_name() -> None:
    found = steps("steps_without_name")
    assert [(step.name, step.image, step.unreadable) for step in found] == [("", "gcc:6.5", ())] * 2


def read_step_with_nanoseconds() -> None:
    with answering("step_failed_nanoseconds") as client:
        step = client.step("shop", UUID, UUID)
    assert (step.name, step.image, step.state.failed, step.unreadable) == ("Test and Build", "golang:1.25", True, ())
    assert step.started_on is not None
    assert step.started_on.microsecond == 109572


def read_deployments() -> None:
    with answering("deployments_undeployed") as client:
        assert [(one.state, one.has_started, one.unreadable) for one in client.deployments("shop")] == [
            ("UNDEPLOYED", False, ())
        ] * 3
    with answering("deployment_of_stopped_step") as client:
        (stopped,) = client.deployments("shop")
    assert (stopped.has_started, stopped.status, stopped.environment) == (True, "", "Test")
    with answering("deployments_completed") as client:
        completed = client.deployments("shop")
    assert len(completed) == 6
    assert all(one.has_started and one.pipeline_uuid and one.step_uuid and not one.unreadable for one in completed)


def read_repositories() -> None:
    with answering("repository_devlake") as client:
        (found,) = client.repositories()
        assert (found.slug, found.main_branch) == ("shop", "master")
    with answering("repositories_page") as client:
        assert all(one.slug and one.updated_on for one in client.repositories())


def read_pages_of_pipelines() -> None:
    with answering("pipelines_page_stopped") as client:
        (stopped,) = client.pipelines("shop")
    assert (stopped.build_number, stopped.stopped, stopped.unreadable) == (25, True, ())
    assert stopped.url.startswith("https://bitbucket.org/acme/shop/")
    assert stopped.state.stopped_by is not None
    with answering("pipelines_page_two_empty") as client, pytest.raises(PermanentError, match="not a list"):
        client.pipelines("shop")  # as a first page it is no answer; behind others it ends the list: test_paging
    with answering("pipelines_page_next_loses_query") as client:
        assert client.pipelines("shop") == ()
    with answering("pipelines_schedule_page") as client, pytest.raises(PermanentError, match="uuid is missing"):
        client.pipelines("shop")  # its author left out what identifies a pipeline
    assert Pipeline.model_validate(recorded("pipelines_schedule_page")["body"]["values"][0] | {"uuid": UUID}).successful


def read_state_paused() -> None:
    assert pipeline("pipeline_failed", state=recorded("state_paused")["body"]["state"]).state.is_paused


def read_started_pipeline() -> None:
    run = Pipeline.model_validate(recorded("pipelines_page_stopped")["body"]["values"][0])
    with answering("post_pipeline_201") as client:
        assert client.rerun("shop", run).build_number == 25


def read_targets() -> None:
    tag = target("target_commit_of_tag")
    assert (tag.type, tag.ref_name, tag.selector.pattern if tag.selector else "") == (
        "pipeline_commit_target",
        "",
        "hotfix-*",
    )
    shared = target("target_pullrequest_imported")
    assert (shared.is_pull_request, shared.branch, shared.destination) == (True, "feature/my-branch", "elevate-main")
    queue = target("target_merge_queue")
    assert (queue.is_merge_queue, queue.branch) == (True, "master")
    assert queue.key == "merge-queue:master|merge-queues:mergequeue-main"


def read_error_of_a_definition() -> None:
    error = recorded("parse_error_object")["body"]
    state = {"name": "COMPLETED", "result": {"name": "FAILED"}}
    for place in (
        {"error": error},
        {"state": state | {"result": {"name": "FAILED", "error": error}}},
        {"errors": [error]},
    ):
        found = pipeline("pipeline_failed", **({"state": state} | place)).error
        assert found is not None
        assert found.key == "plan-service.parse.detailed-parse-error"
        assert found.message.endswith("Missing or empty command string.")
    assert pipeline("pipeline_failed").error is None


def read_documented_bodies() -> None:
    for name in ("docs_trigger_pull_request", "docs_trigger_commit_of_branch"):
        body = recorded(name)["body"]
        ours = rerun_body(pipeline("pipeline_failed", target=body["target"]))["target"]
        assert set(body["target"]) == set(ours)
        assert ours["type"] == body["target"]["type"]


def read_sources() -> None:
    with answering("commit") as client:
        assert client.commit("shop", "6a45b838").message == "wip\n"
    with answering("commits_page_with_next") as client:
        assert client.commits_between("shop", include="main", exclude="v1")
    with answering("commit_statuses_pr") as client:
        assert client.statuses("shop", "1fbd047cd99a")[0].state == "SUCCESSFUL"
    with answering("statuses_empty") as client:
        assert client.statuses("shop", "1fbd047cd99a") == ()
    with answering("pull_requests_page") as client:
        assert client.pull_requests_of_commit("shop", "1fbd047cd99a")
    with answering("pull_requests_devlake") as client:
        assert len(client.pull_requests_of_commit("shop", "1fbd047cd99a")) == 5
    for name in ("pull_request_full", "commit_status_201"):
        assert recorded(name)["body"]["type"] in ("pullrequest", "build")


REFUSALS = [
    # file, method, what is told, what it means, what is not told
    ("error_400_fields", "GET", "400 Bad Request: source: branch not found: dummy", "deleted or renamed", "token"),
    ("error_403_scopes", "GET", "(required: project)", "lacks a scope", ""),
    ("error_404_changeset", "GET", "Changeset not found.", "bitbucket.repositories", ""),
    ("error_404_no_api", "GET", "There is no API hosted at this URL", "bitbucket.url", "token"),
    ("error_404_text_plain", "GET", "404 Not Found (http", "bitbucket.repositories", ""),
    ("error_406_log", "GET", "406 Not Acceptable (http", "", "token"),
    ("error_429_no_retry_after", "GET", "Rate limit for this resource has been exceeded", "requests_per_hour", ""),
    ("error_429_no_retry_after", "POST", "Rate limit for this resource has been exceeded", "requests_per_hour", ""),
    ("post_tag_without_commit_500", "POST", "RESULT_SERVICE_POST_PIPELINE", "may have been carried out", "token"),
    ("post_revision_not_found_404", "POST", "Could not find the revision", "no longer in the repository", "token"),
    ("post_branch_without_definition_400", "POST", "result-service.pipeline.no-pipeline", "has no pipeline", "token"),
]


@pytest.mark.parametrize(("name", "method", "told", "means", "silent"), REFUSALS)
def test_the_words_of_a_refusal_reach_the_person_with_what_they_mean(
    name: str, method: str, told: str, means: str, silent: str
) -> None:
    problem = refusal(name, method)
    status = recorded(name)["status"]
    assert isinstance(problem, TemporaryError if status in (429, 500) else Refused)
    assert told in str(problem)
    assert means in problem.hint
    assert not silent or silent not in f"{problem} {problem.hint}"


def read_webhooks() -> None:
    for name, key, ref, state in (
        ("webhook_status_created", "repo:commit_status_created", "main", "INPROGRESS"),
        ("webhook_status_updated", "repo:commit_status_updated", "main", "SUCCESSFUL"),
        ("webhook_push_tag", "repo:push", "simple-tag", "PUSHED"),
        ("webhook_push_branch_deleted", "repo:push", "", "PUSHED"),
        ("webhook_push_no_changes", "repo:push", "", "PUSHED"),
        ("webhook_push_three_changes", "repo:push", "main", "PUSHED"),
    ):
        answer = recorded(name)
        assert answer["headers"]["X-Event-Key"] == key
        event = parse(key, reply_of(answer)[2])
        assert event is not None, name
        assert (event.ref, event.state) == (ref, state), name
        assert event.repository.startswith("acme/")
    assert recorded("webhook_headers")["body"]["X-Hub-Signature"].startswith("sha256=")


READERS: dict[str, tuple[Callable[[], None], tuple[str, ...]]] = {
    "a failed pipeline": (read_failed_pipeline, ("pipeline_failed",)),
    "one that failed at once": (read_failed_pipeline_without_a_second, ("pipeline_failed_zero_seconds",)),
    "a halted one": (read_halted_pipeline, ("pipeline_halted",)),
    "a stopped one": (read_stopped_pipeline, ("pipeline_stopped_zero_seconds",)),
    "a redeployed one": (read_redeployed_pipeline, ("pipeline_successful_redeployed",)),
    "a custom one of a pull request": (read_custom_pipeline_of_a_pull_request, ("pipeline_pullrequest_custom",)),
    "labels and nanoseconds": (read_failed_pipeline_with_labels, ("pipeline_pullrequest_failed_labels",)),
    "a failed step": (read_failed_step, ("steps_failed_single",)),
    "steps of a halted one": (read_steps_of_halted, ("steps_of_halted",)),
    "steps that never ran": (read_steps_that_never_ran, ("steps_of_stopped_not_run",)),
    "redeployed steps": (read_redeployed_steps, ("steps_redeployed",)),
    "three steps of one name": (read_three_steps_of_one_name, ("steps_three_of_one_name",)),
    "steps without a name": (read_steps_without_name, ("steps_without_name",)),
    "a step alone": (read_step_with_nanoseconds, ("step_failed_nanoseconds",)),
    "deployments": (
        read_deployments,
        ("deployments_undeployed", "deployment_of_stopped_step", "deployments_completed"),
    ),
    "repositories": (read_repositories, ("repository_devlake", "repositories_page")),
    "pages of pipelines": (
        read_pages_of_pipelines,
        (
            "pipelines_page_stopped",
            "pipelines_page_two_empty",
            "pipelines_page_next_loses_query",
            "pipelines_schedule_page",
        ),
    ),
    "a state": (read_state_paused, ("state_paused",)),
    "a started pipeline": (read_started_pipeline, ("post_pipeline_201",)),
    "targets": (read_targets, ("target_commit_of_tag", "target_pullrequest_imported", "target_merge_queue")),
    "the error of a definition": (read_error_of_a_definition, ("parse_error_object",)),
    "documented bodies": (read_documented_bodies, ("docs_trigger_pull_request", "docs_trigger_commit_of_branch")),
    "commits, statuses and pull requests": (
        read_sources,
        (
            "commit",
            "commits_page_with_next",
            "commit_statuses_pr",
            "statuses_empty",
            "pull_requests_page",
            "pull_requests_devlake",
            "pull_request_full",
            "commit_status_201",
        ),
    ),
    "webhooks": (
        read_webhooks,
        tuple(path.stem for path in FOLDER.glob("webhook_*.json")),
    ),
}


@pytest.mark.parametrize("what", READERS)
def test_recorded_answers_are_read(what: str) -> None:
    read, _ = READERS[what]
    read()


def test_no_recorded_file_is_left_unread() -> None:
    read = {name for _, names in READERS.values() for name in names} | {name for name, *_ in REFUSALS}
    assert read == {path.stem for path in FOLDER.glob("*.json")}


def test_variables_that_cannot_be_read_are_not_left_out_of_a_rerun() -> None:
    found = pipeline("pipeline_failed", variables="REGION=eu")
    assert found.variables == ()
    assert found.unreadable == ("variables",)
    assert Variable().secured is False
