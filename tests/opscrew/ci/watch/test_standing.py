"""What fails at present: kept as told, replaced as a whole, and safe from a second process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO

from sqlalchemy import Engine

from opscrew.ci.explain.lines import Explanation, explain
from opscrew.ci.judge.classify import classify
from opscrew.ci.judge.failures import Failure, StepFailure, failure_finding
from opscrew.ci.watch.open_failures import (
    Rerun,
    Standing,
    replace_standing,
    standing_in,
    standing_wanted,
    update_standing,
)
from opscrew.findings.codes import finding
from opscrew.model.subject import Subject
from tools.bitbucket.records import Pipeline, PipelineStep

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def failure(branch: str, *, repository: str = "acme/shop", rerun: Rerun = Rerun.WANTED, minutes: int = 0) -> Standing:
    subject = Subject(system="bitbucket", kind="branch", scope=repository, name=branch)
    details = {"target_key": f"branch:{branch}|", "signature": "pip-network"}
    told = finding("CI_TRANSIENT_NETWORK", subject, "it failed", details=details)
    return Standing(
        repository, f"branch:{branch}|", f"{{{branch[:30]}}}", NOON + timedelta(minutes=minutes), rerun, told
    )


def test_what_is_stored_comes_back_until_it_is_replaced(database: Engine) -> None:
    main, long = failure("main"), failure("feature/" + "x" * 300)
    replace_standing(database, "acme/shop", [main, long])
    replace_standing(database, "acme/api", [failure("main", repository="acme/api")])
    assert standing_in(database, "acme/shop") == {main.target_key: main, long.target_key: long}
    replace_standing(database, "acme/shop", [])
    assert standing_in(database, "acme/shop") == {}
    assert len(standing_in(database, "acme/api")) == 1


def test_those_that_wait_for_a_decision_come_oldest_first_and_of_one_workspace(database: Engine) -> None:
    late, early = failure("late", minutes=9), failure("early", minutes=1)
    replace_standing(database, "acme/shop", [late, early, failure("old", rerun=Rerun.IMPOSSIBLE)])
    replace_standing(database, "acmeX/shop", [failure("main", repository="acmeX/shop")])
    assert standing_wanted(database, "acme") == [early, late]
    update_standing(database, replace(early, rerun=Rerun.PROPOSED))
    assert standing_wanted(database, "acme") == [late]


def test_a_decision_about_an_older_failure_does_not_touch_the_newer_one(database: Engine) -> None:
    newer = replace(failure("main"), pipeline_uuid="{newer}")
    replace_standing(database, "acme/shop", [newer])
    update_standing(database, failure("main", rerun=Rerun.PROPOSED))
    assert standing_in(database, "acme/shop") == {newer.target_key: newer}


def test_two_processes_that_replace_the_same_at_once_do_not_collide(database: Engine) -> None:
    several = [failure(f"branch{number}") for number in range(10)]
    replace_standing(database, "acme/shop", several)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: replace_standing(database, "acme/shop", several), range(40)))
    assert len(standing_in(database, "acme/shop")) == 10


def test_what_bitbucket_says_of_a_failure_is_told_without_secrets_and_not_at_any_length() -> None:
    step = PipelineStep(uuid="{1}", state={"result": {"error": {"message": "password=hunter2secret " + "x" * 10_000}}})
    pipeline = Pipeline(uuid="{2}", created_on=NOON)
    nothing = Explanation((), 0)
    failed = Failure("acme/shop", pipeline, (StepFailure(step, nothing, classify(nothing)),))
    (line,) = failure_finding(failed).evidence
    assert "hunter2secret" not in line.text
    assert len(line.text) == 2_000


def test_the_finding_says_what_to_do_about_just_this_failure() -> None:
    """Bitbucket's bans are lifted by taking one option out of the step."""
    said = "Error response from daemon: authorization denied by plugin pipelines: --privileged=true is not allowed"
    explanation = explain(BytesIO(said.encode()))
    step = PipelineStep(uuid="{1}", name="Test")
    pipeline = Pipeline(uuid="{2}", created_on=NOON)
    told = failure_finding(Failure("acme/shop", pipeline, (StepFailure(step, explanation, classify(explanation)),)))
    assert told.code == "CI_INFRA_PERSISTENT"
    assert told.next_step.startswith("Take --privileged out of the step")
