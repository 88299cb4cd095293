"""The CI watch over real HTTP: what is re-run, what is left alone, and what people are told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.findings.life import FindingState
from opscrew.model.action import ActionState
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        for slug, language in {"shop": "python", "payments": "maven", "search": "go"}.items():
            running.world.add_repository(slug, language)
        yield running


def actions(watch: BitbucketWatch) -> list[ActionRecord]:
    context = watch.context
    return list(Execution(context.engine, context.settings, context.clock, context.uptime).list())


def open_codes(watch: BitbucketWatch) -> list[str]:
    return sorted(entry.finding.code for entry in watch.ledger.open())


def reruns(watch: BitbucketWatch, slug: str) -> int:
    return len(watch.world.repositories[slug].runs) - 1


def test_a_network_blip_is_run_again_once_and_the_finding_ends_when_it_passes(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.rounds(3)
    assert reruns(watch, "shop") == 1
    assert open_codes(watch) == ["CI_TRANSIENT_NETWORK"]
    watch.rounds(5)
    assert reruns(watch, "shop") == 1
    assert [one.state for one in actions(watch)] == [ActionState.SUCCEEDED]
    assert open_codes(watch) == []
    resolved = watch.ledger.list([FindingState.RESOLVED])
    assert resolved[0].finding.details["signature"]
    assert resolved[0].finding.evidence


def test_a_rerun_that_passes_up_to_a_manual_step_has_passed(watch) -> None:
    watch.world.push("shop", "flaky_then_waiting")
    watch.rounds(8)
    assert reruns(watch, "shop") == 1
    (record,) = actions(watch)
    assert record.state is ActionState.SUCCEEDED
    assert record.note == "re-run #2 passed, up to a step that a person starts"
    assert open_codes(watch) == []
    watch.rounds(2)
    assert reruns(watch, "shop") == 1


def test_a_newer_build_that_passed_what_failed_and_then_waits_ends_the_failure(watch) -> None:
    watch.world.push("shop", "failing")
    watch.rounds(4)
    assert watch.ledger.open()[0].finding.details["step"] == "Test"
    watch.world.push("shop", "waiting")
    watch.world.faults.add("error", path="/steps/", times=3)
    watch.rounds(2)
    assert open_codes(watch) == ["CI_GENUINE_FAILURE"], "what could not be read ends nothing"
    watch.rounds(3)
    assert open_codes(watch) == []


def test_a_newer_build_that_waits_before_what_failed_ends_nothing(watch) -> None:
    watch.world.push("shop", "deploy_flaky")
    watch.rounds(4)
    assert watch.ledger.open()[0].finding.details["step"] == "Deploy"
    watch.world.push("shop", "waiting")
    watch.rounds(4)
    assert open_codes(watch) == ["CI_RERUN_IMPOSSIBLE"]


def test_a_genuine_failure_is_explained_and_left_alone(watch) -> None:
    watch.world.push("payments", "failing")
    watch.rounds(6)
    assert reruns(watch, "payments") == 0
    assert actions(watch) == []
    assert open_codes(watch) == ["CI_GENUINE_FAILURE"]
    found = watch.ledger.open()[0].finding
    assert found.subject.name == "main"
    assert found.evidence


def test_a_persistent_fault_is_reported_and_left_alone(watch) -> None:
    watch.world.push("shop", "persistent")
    watch.rounds(5)
    assert reruns(watch, "shop") == 0
    assert open_codes(watch) == ["CI_INFRA_PERSISTENT"]


@pytest.mark.parametrize(
    ("fate", "words"),
    [("deploy_flaky", "deployment to Production"), ("secured", "secured variables")],
)
def test_what_must_not_be_run_again_is_told_with_the_reason(watch, fate: str, words: str) -> None:
    watch.world.push("search", fate)
    watch.rounds(6)
    assert reruns(watch, "search") == 0
    found = [entry.finding for entry in watch.ledger.open()]
    assert [one.code for one in found] == ["CI_RERUN_IMPOSSIBLE"]
    assert words in found[0].cause


@pytest.mark.parametrize("fate", ["stopped", "running", "passing", "memory", "no_definition"])
def test_nothing_else_is_ever_run_again(watch, fate: str) -> None:
    watch.world.push("shop", fate)
    watch.rounds(6)
    assert reruns(watch, "shop") == 0


@pytest.mark.parametrize("fate", ["runner_lost", "before_deploy_flaky", "with_variables"])
def test_other_blips_are_run_again_and_pass(watch, fate: str) -> None:
    watch.world.push("shop", fate)
    watch.rounds(9)
    assert reruns(watch, "shop") == 1
    assert [one.state for one in actions(watch)] == [ActionState.SUCCEEDED]


def test_a_runner_that_was_lost_is_told_apart_from_the_network(watch) -> None:
    watch.world.push("shop", "runner_lost")
    watch.rounds(1)
    assert open_codes(watch) == ["CI_TRANSIENT_INFRA"]


def test_a_rerun_that_fails_is_not_repeated_and_says_so(watch) -> None:
    watch.world.push("shop", "flaky_twice")
    watch.rounds(10)
    assert reruns(watch, "shop") == 1
    assert [one.state for one in actions(watch)] == [ActionState.FAILED]
    assert open_codes(watch) == ["CI_RERUN_FAILED"]


def test_a_newer_push_makes_the_old_failure_nobodys_business(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.clock.forward(minutes=3)
    watch.world.push("shop", "running")
    watch.rounds(5)
    assert actions(watch) == []


def test_each_failed_build_is_fetched_and_judged_once(watch) -> None:
    watch.world.push("payments", "failing")
    first = watch.rounds(4)
    later = watch.rounds(4)
    assert sum("1 failures judged" in run.summary for run in first) == 1
    assert all("0 failures judged" in run.summary for run in later)


def test_an_outage_is_one_finding_and_nothing_runs_again_before_it_ends(tmp_path) -> None:
    with bitbucket_watch(tmp_path) as watch:
        slugs = [f"service{number}" for number in range(8)]
        for slug in slugs:
            watch.world.add_repository(slug, "python")
        watch.round()
        for slug in slugs:
            watch.world.push(slug, "outage")
        watch.rounds(6)
        assert open_codes(watch) == ["CI_OUTAGE"]
        assert sum(reruns(watch, slug) for slug in slugs) == 0
        watch.world.end_outage()
        watch.clock.forward(minutes=20)
        watch.rounds(6)
        assert sum(reruns(watch, slug) for slug in slugs) == 8
        assert open_codes(watch) == []


def test_policy_approve_waits_for_a_person(tmp_path) -> None:
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "approve"}) as watch:
        watch.world.add_repository("shop")
        watch.world.push("shop", "flaky")
        watch.rounds(4)
        (waiting,) = actions(watch)
        assert waiting.state is ActionState.WAITING
        assert reruns(watch, "shop") == 0
        context = watch.context
        Execution(context.engine, context.settings, context.clock, context.uptime).approve(waiting.id, "ada")
        watch.rounds(2)
        assert reruns(watch, "shop") == 1


def test_what_people_are_told_of_a_proposal_follows_what_became_of_it(tmp_path) -> None:
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "approve"}) as watch:
        watch.world.add_repository("shop")
        watch.world.push("shop", "flaky_twice")
        watch.rounds(4)
        (waiting,) = actions(watch)
        assert f"waits for approval: crew actions approve {waiting.id} (" in watch.ledger.open()[0].finding.cause
        context = watch.context
        Execution(context.engine, context.settings, context.clock, context.uptime).deny(waiting.id, "ada", "not now")
        watch.rounds(2)
        words = f"Action {waiting.id} to run it again is denied: denied by ada: not now"
        assert words in watch.ledger.open()[0].finding.cause
        # By hand, then; it fails once more. Another action for the same commit there is none.
        client = context.systems.bitbucket
        client.rerun("shop", client.pipeline("shop", 1))
        watch.rounds(4)
        assert reruns(watch, "shop") == 1
        assert "to run #1 of the same commit again is denied" in watch.ledger.open()[0].finding.cause


def test_dry_run_sends_nothing(tmp_path) -> None:
    with bitbucket_watch(tmp_path, dry_run=True) as watch:
        watch.world.add_repository("shop")
        watch.world.push("shop", "flaky")
        watch.rounds(4)
        assert [one.state for one in actions(watch)] == [ActionState.DRY_RUN]
        assert reruns(watch, "shop") == 0


def test_a_failure_of_yesterday_is_history_on_the_first_look(watch) -> None:
    watch.world.push("shop", "failing")
    watch.clock.forward(hours=30)
    watch.rounds(3)
    assert open_codes(watch) == []


def test_a_failure_that_is_hours_old_is_told_but_not_run_again(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.clock.forward(hours=8)
    watch.rounds(3)
    assert reruns(watch, "shop") == 0
    assert open_codes(watch) == ["CI_RERUN_IMPOSSIBLE"]
