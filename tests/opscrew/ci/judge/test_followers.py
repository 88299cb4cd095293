"""What a newer pipeline says about earlier failures: only a step that has passed ends one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from opscrew.ci.judge.failures import WHOLE
from opscrew.ci.judge.followers import not_passed, not_reached, passed_since
from opscrew.ci.rerun.outage import Outage
from opscrew.ci.watch.open_failures import Rerun, Standing
from opscrew.findings.codes import finding
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from tools.bitbucket.records import Pipeline, PipelineStep

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
OUTAGE = Outage("pip-network", NOON - timedelta(minutes=9), NOON, tuple(f"acme/r{n}#1" for n in range(6)))


def told(step: str, **details: Any) -> Finding:
    subject = Subject(system="bitbucket", kind="branch", scope="acme/shop", name="main")
    known = {"target_key": "branch:main|", "step": step, "signature": "pip-network", "build_number": 7}
    return finding("CI_TRANSIENT_NETWORK", subject, "it failed", details=known | details)


def standing(failed: Finding, *behind: Finding) -> Standing:
    return Standing("acme/shop", "branch:main|", "{7}", NOON, Rerun.PROPOSED, failed, behind)


def steps(**results: str) -> list[PipelineStep]:
    """Steps by name with their results; "" has not run yet."""
    states = {
        name: {"name": "COMPLETED", "result": {"name": result}} if result else {"name": "PENDING"}
        for name, result in results.items()
    }
    return [PipelineStep(uuid=f"{{{name}}}", name=name, state=state) for name, state in states.items()]


def pipeline(number: int, minutes: float, result: str = "SUCCESSFUL") -> Pipeline:
    state = {"name": "COMPLETED", "result": {"name": result}}
    created = NOON + timedelta(minutes=minutes)
    return Pipeline(uuid=f"{{{number}}}", build_number=number, created_on=created, state=state)


def test_what_has_passed_before_a_pause_is_over_and_the_rest_stands() -> None:
    test, deploy = told("Test"), told("Deploy")
    both = standing(test, deploy)
    assert not_passed(both, steps(Test="SUCCESSFUL", Deploy="SUCCESSFUL")) == []
    assert not_passed(both, steps(Test="", Deploy="")) == [both]
    (left,) = not_passed(both, steps(Test="SUCCESSFUL", Deploy=""))
    assert (left.finding, left.behind, left.rerun) == (deploy, (), Rerun.NOT_WANTED)
    (first,) = not_passed(standing(test, told("Lint")), steps(Lint="SUCCESSFUL", Test=""))
    assert (first.finding, first.behind, first.rerun) == (test, (), Rerun.PROPOSED)


def test_all_steps_that_failed_must_have_passed() -> None:
    several = standing(told("Test", failed_steps=["Test", "Lint"]))
    assert not_passed(several, steps(Test="SUCCESSFUL", Lint="")) == [several]
    assert not_passed(several, steps(Test="SUCCESSFUL", Lint="SUCCESSFUL")) == []


def test_a_step_that_was_not_reached_is_not_over_and_one_that_ran_is() -> None:
    deploy = told("Deploy")
    before = standing(told("Test"), deploy)
    ran = steps(Lint="FAILED", Test="SUCCESSFUL", Deploy="NOT_RUN")
    assert not_reached(before, told("Lint"), lambda: ran) == (deploy,)
    assert not_reached(before, told("Lint"), lambda: steps(Lint="FAILED", Test="NOT_RUN")) == before.findings
    assert not_reached(standing(deploy), told("Test"), lambda: steps(Test="FAILED", Deploy="FAILED")) == ()


def test_steps_are_asked_for_only_where_they_matter() -> None:
    def never() -> list[PipelineStep]:
        raise AssertionError("a request too many")

    assert not_reached(None, told("Test"), never) == ()
    assert not_reached(standing(told("Test")), told("Test"), never) == ()
    assert not_reached(standing(told(WHOLE)), told("Test"), never) == ()


@pytest.mark.parametrize(
    ("minutes", "result", "ran", "expected"),
    [
        (1, "SUCCESSFUL", {"Test": "SUCCESSFUL"}, True),
        (0, "SUCCESSFUL", {"Test": "SUCCESSFUL"}, False),  # began before the last failure was seen
        (1, "FAILED", {"Test": "SUCCESSFUL"}, False),
        (1, "STOPPED", {"Test": "SUCCESSFUL"}, False),
        (1, "SUCCESSFUL", {"Docs": "SUCCESSFUL"}, False),  # a definition without the step that had failed
    ],
)
def test_an_outage_ends_by_what_began_after_it_and_passed_what_had_failed(minutes, result, ran, expected) -> None:
    later = pipeline(8, minutes, result)
    found = passed_since(OUTAGE, [later], [standing(told("Test"))], lambda one: steps(**ran))
    assert found == (later if expected else None)


def test_of_many_later_pipelines_the_newest_three_are_asked() -> None:
    asked: list[int] = []

    def ask(one: Pipeline) -> list[PipelineStep]:
        asked.append(one.build_number)
        return steps(Docs="SUCCESSFUL")

    assert passed_since(OUTAGE, [pipeline(n, n) for n in range(20, 1, -1)], [standing(told("Test"))], ask) is None
    assert sorted(asked) == [18, 19, 20]


def test_a_failure_of_another_signature_says_nothing_about_what_must_pass() -> None:
    other = standing(told("Deploy", signature="npm-network"))
    assert passed_since(OUTAGE, [pipeline(8, 1)], [other], lambda one: steps(Test="SUCCESSFUL")) is not None
