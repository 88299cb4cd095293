"""When a failed pipeline may be run again, and when not, and why."""

from datetime import UTC, datetime

import pytest

from opscrew.ci.rerun.proposal import RerunCase, end_of, newest_of, rerun_action, why_not_rerun
from tools.bitbucket.records import Deployment, Pipeline, PipelineStep

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def pipeline(number: int = 42, result: str = "FAILED", **changes) -> Pipeline:
    target = {
        "type": "pipeline_ref_target",
        "ref_type": "branch",
        "ref_name": "main",
        "commit": {"type": "commit", "hash": "c0ffee"},
        "selector": {"type": "branches", "pattern": "main"},
    } | changes.pop("target", {})
    return Pipeline.model_validate(
        {
            "uuid": f"{{{number}}}",
            "build_number": number,
            "created_on": NOON.isoformat(),
            "state": {"name": "COMPLETED", "result": {"name": result}},
            "target": target,
            **changes,
        }
    )


def step(name: str = "Test", environment: str = "", started: bool = True, state: str = "COMPLETED") -> PipelineStep:
    return PipelineStep.model_validate(
        {
            "uuid": f"{{{name}}}",
            "name": name,
            "environment": environment,
            "state": {"name": state},
            "started_on": NOON.isoformat() if started else None,
        }
    )


def case(one: Pipeline | None = None, **changes) -> RerunCase:
    one = one or pipeline()
    return RerunCase(**({"pipeline": one, "steps": (step(),), "newest": one} | changes))


def test_a_plain_failure_of_a_branch_may_run_again() -> None:
    assert why_not_rerun(case()) is None


@pytest.mark.parametrize(
    ("selector", "reference"),
    [("tags", "tag"), ("custom", "branch"), ("default", "branch"), ("bookmarks", "bookmark")],
)
def test_every_definition_that_the_api_can_start_may_run_again(selector: str, reference: str) -> None:
    target = {"selector": {"type": selector, "pattern": "x"}, "ref_type": reference}
    assert why_not_rerun(case(pipeline(target=target))) is None


def test_a_pull_request_may_run_again() -> None:
    target = {"type": "pipeline_pullrequest_target", "source": "fix", "destination": "main", "pullrequest": {"id": 7}}
    assert why_not_rerun(case(pipeline(target=target))) is None


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (case(pipeline(result="STOPPED")), "stopped on purpose"),
        (case(pipeline(result="SUCCESSFUL")), "not failed"),
        (case(pipeline(result="SOMETHING_NEW")), "not failed"),
        (case(pipeline(trigger={"type": "pipeline_trigger_parent_step"})), "step of another pipeline"),
        (case(pipeline(trigger={"name": "PARENT_STEP"})), "step of another pipeline"),
        (case(newest=pipeline(43)), "#43 is newer"),
        (case(newest=None), "lists no pipeline"),
        (case(steps=(step(), step("Lint", state="IN_PROGRESS"))), "'Lint' still runs"),
        (case(steps=(step("Ship", environment="production"),)), "deployment to production"),
        (
            case(deployments=(Deployment(state="COMPLETED", step_uuid="{Test}", environment="staging"),)),
            "deployment to staging",
        ),
        (
            case(deployments=(Deployment(state="IN_PROGRESS", pipeline_uuid="{42}", started_on=NOON),)),
            "deployment to an environment",
        ),
        (case(pipeline(target={"commit": None})), "which commit"),
        (case(pipeline(target={"selector": {"type": "novel"}})), "'novel'"),
        (case(pipeline(target={"type": "pipeline_pullrequest_target"})), "which pull request"),
        (case(pipeline(variables=[{"key": "TOKEN", "secured": True}])), "secured variables"),
        (case(pipeline(has_variables=True)), "does not list them"),
    ],
)
def test_what_speaks_against_it_is_said(changed: RerunCase, reason: str) -> None:
    assert reason in (why_not_rerun(changed) or "")


def test_a_deployment_step_that_never_started_does_no_harm() -> None:
    steps = (step(), step("Ship", environment="production", started=False))
    assert why_not_rerun(case(steps=steps)) is None


@pytest.mark.parametrize("command", ["helm upgrade shop chart/", "pipe: atlassian/aws-s3-deploy:1.1.0"])
def test_a_step_that_deploys_is_known_by_its_commands_even_if_it_passed(command: str) -> None:
    """Bitbucket knows of a deployment only where the step names an environment."""
    ship = step("Ship").model_copy(update={"commands": ("npm ci", command)})
    assert why_not_rerun(case(steps=(ship, step()))) == f"step 'Ship' had started, and it deploys: {command}"
    waits = ship.model_copy(update={"started_on": None})
    assert why_not_rerun(case(steps=(step(), waits))) is None


def never_ran(name: str, result: str = "NOT_RUN", **changes) -> PipelineStep:
    """As recorded: with start and end, which are the same."""
    moment = NOON.isoformat()
    state = {"name": "COMPLETED", "result": {"name": result}}
    given = {"uuid": f"{{{name}}}", "name": name, "state": state, "started_on": moment, "completed_on": moment}
    return PipelineStep.model_validate({**given, "environment": "production", **changes})


@pytest.mark.parametrize("result", ["NOT_RUN", "SKIPPED", "UNDEPLOYED"])
def test_a_step_that_never_ran_has_not_started_whatever_its_times(result: str) -> None:
    ship = never_ran("Ship", result)
    ours = {"pipeline_uuid": "{42}", "step_uuid": "{Ship}", "started_on": NOON}
    assert why_not_rerun(case(steps=(step(), ship))) is None
    for state in ("UNDEPLOYED", "COMPLETED"):
        assert why_not_rerun(case(steps=(step(), ship), deployments=(Deployment(state=state, **ours),))) is None


def test_a_step_that_was_left_out_in_its_second_run_may_have_run_in_its_first() -> None:
    assert "deployment to production" in (why_not_rerun(case(steps=(never_ran("Ship", run_number=2),))) or "")


@pytest.mark.parametrize(
    ("deployment", "refuses"),
    [
        (Deployment(state="UNDEPLOYED", pipeline_uuid="{42}", started_on=NOON), False),
        (Deployment(state="COMPLETED", pipeline_uuid="{42}"), True),
        (Deployment(state="IN_PROGRESS", pipeline_uuid="{42}"), True),
        (Deployment(state="COMPLETED", pipeline_uuid="{41}", step_uuid="{other}", started_on=NOON), False),
        (Deployment(state="COMPLETED", started_on=NOON), True),
        (Deployment(state="", pipeline_uuid="{42}", unreadable=("state",)), True),
        (Deployment(state="", step_uuid="{Test}", unreadable=("started_on",)), True),
        (Deployment(state="", pipeline_uuid="{41}", unreadable=("state",)), False),
        (Deployment(state="", unreadable=("all of it",)), True),
    ],
)
def test_a_deployment_counts_where_it_has_begun_and_may_be_ours(deployment: Deployment, refuses: bool) -> None:
    assert bool(why_not_rerun(case(deployments=(deployment,)))) is refuses


def test_what_cannot_be_read_refuses() -> None:
    odd = pipeline().model_copy(update={"unreadable": ("variables",)})
    assert "cannot be read (variables)" in (why_not_rerun(case(odd, newest=odd)) or "")
    nameless = PipelineStep(unreadable=("all of it",))
    assert "one of its steps cannot be read" in (why_not_rerun(case(steps=(step(), nameless))) or "")
    assert "too many deployments" in (why_not_rerun(case(knows_all_deployments=False)) or "")


def test_steps_that_were_repeated_in_place_are_another_end() -> None:
    first = pipeline(completed_on="2026-10-06T12:05:00Z")
    again = pipeline(completed_on="2026-10-06T12:15:00.5Z")
    assert why_not_rerun(case(first, judged_end=end_of(first))) is None
    assert (
        why_not_rerun(case(again, judged_end=end_of(first))) == "its steps were run again in place since it was judged"
    )
    counted = pipeline(completed_on="2026-10-06T12:05:00Z", run_number=2)
    assert end_of(counted) != end_of(first)


def test_a_merge_queue_cannot_be_started_by_hand() -> None:
    target = {
        "type": "pipeline_merge_queue_ref_target",
        "ref_name": "bitbucket-merge-queue-62",
        "target_branch": "master",
    }
    queue = pipeline(target=target | {"selector": {"type": "merge-queues", "pattern": "mergequeue-main"}})
    assert "'merge-queues'" in (why_not_rerun(case(queue)) or "")


def test_plain_variables_can_be_passed_again() -> None:
    assert why_not_rerun(case(pipeline(variables=[{"key": "LEVEL", "value": "full"}]))) is None


def test_the_newest_is_found_among_one_target_only() -> None:
    other = pipeline(50, target={"ref_name": "feature"})
    newest = newest_of(pipeline().target.key, [pipeline(41), pipeline(43), other])
    assert newest is not None
    assert newest.build_number == 43
    assert newest_of("nothing", [other]) is None


def test_the_same_commit_and_target_give_one_action() -> None:
    first = rerun_action(pipeline(42), "acme/shop", "blip", (), "f")
    again = rerun_action(pipeline(43), "acme/shop", "blip", (), "f")
    later = rerun_action(pipeline(44, target={"commit": {"hash": "beef"}}), "acme/shop", "blip", (), "f")
    assert first.idempotency_key == again.idempotency_key != later.idempotency_key
