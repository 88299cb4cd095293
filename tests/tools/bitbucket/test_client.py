"""The client against the sandbox, over a real socket, when all is well."""

from __future__ import annotations

from datetime import timedelta

import pytest

from demo.bitbucket.world import READ_ONLY_TOKEN, TOKEN
from tests.support.bitbucket import Sandbox
from tools.bitbucket.failures import Refused
from tools.errors import PermanentError


def test_ping_says_what_it_found(box: Sandbox) -> None:
    with box.client() as client:
        assert client.ping() == "workspace acme, 1 repositories visible"


@pytest.mark.parametrize("credentials", [{"token": TOKEN}, {"token": TOKEN, "user": "ada@acme.example"}])
def test_bearer_and_basic_are_both_accepted(box: Sandbox, credentials: dict[str, str]) -> None:
    with box.client(**credentials) as client:
        assert client.repositories()[0].slug == "shop"


def test_a_wrong_token_a_missing_scope_and_a_missing_repository_each_say_what_to_do(box: Sandbox) -> None:
    run = box.world.push("shop", "failing")
    with box.client(token="nobody") as client, pytest.raises(Refused, match="401") as denied:
        client.ping()
    assert "CREW_BITBUCKET__TOKEN" in denied.value.hint
    assert "nobody" not in str(denied.value)
    with box.client(token=READ_ONLY_TOKEN) as client, pytest.raises(Refused, match="pipeline:write") as scope:
        client.rerun("shop", client.pipeline("shop", run.uuid))
    assert scope.value.status == 403
    with box.client() as client, pytest.raises(Refused, match="404") as missing:
        client.pipelines("shed")
    assert "bitbucket.repositories" in missing.value.hint
    assert missing.value.url.endswith("/2.0/repositories/acme/shed/pipelines/")
    with box.client(workspace="nowhere") as client, pytest.raises(Refused, match="nowhere"):
        client.repositories()


def test_pages_are_followed_up_to_the_limit_and_no_further(box: Sandbox) -> None:
    for _ in range(230):
        box.world.push("shop", "passing")
    with box.client() as client:
        assert [one.build_number for one in client.pipelines("shop", limit=1000)] == list(range(230, 0, -1))
        box.outcomes.clear()
        assert len(client.pipelines("shop", limit=150)) == 150
        assert box.outcomes == ["ok", "ok"]


def test_pipelines_by_status_branch_and_time(box: Sandbox) -> None:
    box.world.push("shop", "failing")
    box.world.push("shop", "passing", branch="dev")
    box.clock.forward(hours=2)
    box.world.push("shop", "running")
    with box.client() as client:
        box.clock.forward(minutes=1)
        assert [one.build_number for one in client.pipelines("shop", status="FAILED")] == [1]
        assert [one.build_number for one in client.pipelines("shop", branch="dev")] == [2]
        recent = client.pipelines("shop", since=box.clock() - timedelta(hours=1))
        assert [one.build_number for one in recent] == [3]
        assert not recent[0].is_finished
        assert client.pipeline("shop", 1).failed
        assert client.pipeline("shop", recent[0].uuid) == recent[0]


def test_steps_carry_commands_state_and_the_word_beside_the_log(box: Sandbox) -> None:
    run = box.world.push("shop", "memory")
    box.clock.forward(minutes=5)
    with box.client() as client:
        (step,) = client.steps("shop", run.uuid)
    assert step.state.failed
    assert step.error_message == "Container 'Build' exceeded memory limit."
    assert step.commands[0] == "pip install -r requirements.txt"
    assert step.duration_in_seconds == 120


def test_commits_pull_requests_statuses_and_test_reports(box: Sandbox) -> None:
    first = box.world.push("shop", "failing")
    second = box.world.push("shop", "passing", message="Mend the totals")
    request = box.world.open_pull_request("shop", "passing", source="feature", title="A better cart")
    box.clock.forward(minutes=10)
    with box.client() as client:
        assert client.commit("shop", second.target.commit).message == "Mend the totals\n"
        between = client.commits_between("shop", include=second.target.commit, exclude=first.target.commit)
        assert [one.hash for one in between] == [second.target.commit]
        (found,) = client.pull_requests_of_commit("shop", request.target.commit)
        assert (found.title, found.source, found.state) == ("A better cart", "feature", "OPEN")
        assert client.pull_requests_of_commit("shop", first.target.commit) == ()
        assert [one.state for one in client.statuses("shop", first.target.commit)] == ["FAILED"]
        step = first.steps[0].uuid
        report = client.test_reports("shop", first.uuid, step)
        assert report is not None
        assert (report.total, report.failed, report.successful) == (24, 1, 23)
        cases = client.test_cases("shop", first.uuid, step)
        assert [case.name for case in cases if case.status == "FAILED"] == ["case 24"]
        assert client.test_reports("shop", first.uuid, first.steps[1].uuid) is None
        assert client.test_cases("shop", first.uuid, first.steps[1].uuid) == ()


def test_deployments_and_runners(box: Sandbox) -> None:
    run = box.world.push("shop", "deploy_flaky")
    box.clock.forward(minutes=10)
    with box.client() as client:
        (deployed,) = client.deployments("shop")
        assert (deployed.environment, deployed.status, deployed.pipeline_uuid) == ("Production", "FAILED", run.uuid)
        assert client.runners() == ()
        box.world.add_runner("box-1", ["linux", "large"])
        (runner,) = client.runners("shop") or ()
        assert (runner.name, runner.labels, runner.is_online) == ("box-1", ("linux", "large"), True)
        box.world.runners_available = False
        assert client.runners() is None


def test_a_re_run_is_a_new_pipeline_with_the_same_target_and_may_pass(box: Sandbox) -> None:
    runs = [
        box.world.push("shop", "flaky"),
        box.world.push("shop", "flaky", tag="v1.0"),
        box.world.open_pull_request("shop", "flaky", source="feature"),
        box.world.run_custom("shop", "with_variables", pattern="nightly"),
    ]
    box.clock.forward(minutes=10)
    with box.client() as client:
        for run in runs:
            before = client.pipeline("shop", run.uuid)
            assert before.failed
            after = client.rerun("shop", before)
            assert (after.target, after.variables) == (before.target, before.variables)
            assert after.uuid != before.uuid
            box.clock.forward(minutes=10)
            assert client.pipeline("shop", after.uuid).successful


def test_a_pipeline_with_secured_variables_is_not_sent_at_all(box: Sandbox) -> None:
    run = box.world.run_custom("shop", "secured", pattern="release")
    box.clock.forward(minutes=10)
    with box.client() as client, pytest.raises(PermanentError, match="RELEASE_KEY"):
        client.rerun("shop", client.pipeline("shop", run.uuid))
    assert len(box.world.repositories["shop"].runs) == 1


def test_stopping_says_whether_it_was_in_time(box: Sandbox) -> None:
    run = box.world.push("shop", "running")
    box.clock.forward(minutes=1)
    with box.client() as client:
        assert client.stop("shop", run.uuid) is True
        stopped = client.pipeline("shop", run.uuid)
        assert stopped.stopped
        assert not stopped.failed
        assert client.stop("shop", run.uuid) is False
        with pytest.raises(Refused, match="404"):
            client.stop("shop", "{nothing}")


def test_the_budget_follows_the_headers(box: Sandbox) -> None:
    box.world.requests_per_hour = 50
    with box.client() as client:
        client.ping()
        budget = client.budget
    assert (budget.limit, budget.remaining) == (50, 49)
    assert budget.resets_at is not None


@pytest.mark.parametrize("name", ["", ".", "..", "/"])
def test_a_name_that_would_change_the_address_is_refused(box: Sandbox, name: str) -> None:
    with box.client() as client, pytest.raises(PermanentError, match="not a name"):
        client.pipelines(name)


def test_a_slash_in_a_name_does_not_reach_another_address(box: Sandbox) -> None:
    with box.client() as client, pytest.raises(Refused, match="404"):
        client.pipelines("../../2.0/repositories/acme")
