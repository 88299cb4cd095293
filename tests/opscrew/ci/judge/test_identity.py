"""The next failed build of a branch: the failure that was there before, or a new one."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import classify
from opscrew.ci.judge.failures import Failure, StepFailure, failure_finding, with_note
from opscrew.ci.judge.identity import is_same_failure
from opscrew.model.finding import Finding
from tools.bitbucket.records import Pipeline, PipelineStep

NOON = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
PAIRS = yaml.safe_load((Path(__file__).parents[1] / "data" / "next_builds.yaml").read_text(encoding="utf-8"))


def told(log: str, *, number: int = 1, step: str = "Test", error: str = "") -> Finding:
    explanation = explain(io.BytesIO(log.encode()))
    record = PipelineStep(uuid="{1}", name=step, state={"result": {"error": {"message": error}}})
    judged = StepFailure(record, explanation, classify(explanation, error_message=error))
    pipeline = Pipeline(uuid=f"{{{number}}}", build_number=number, created_on=NOON)
    return failure_finding(Failure("acme/shop", pipeline, (judged,)))


@pytest.mark.parametrize("pair", PAIRS, ids=[pair["name"] for pair in PAIRS])
def test_the_next_build_fails_as_before_or_anew(pair: dict) -> None:
    before, now = told(pair["before"]), told(pair["now"], number=2)
    assert is_same_failure(before, now) is pair["same"]
    assert is_same_failure(now, before) is pair["same"]
    assert is_same_failure(before, told(pair["before"], number=2))
    if not pair["same"]:
        assert before.fingerprint != now.fingerprint


def test_the_same_lines_in_another_step_are_another_failure() -> None:
    log = PAIRS[0]["before"]
    assert not is_same_failure(told(log), told(log, step="Integration"))
    assert told(log).fingerprint != told(log, step="Integration").fingerprint


def test_it_stays_the_same_finding_whatever_is_decided_about_it() -> None:
    blip = told(next(pair for pair in PAIRS if pair["name"].startswith("a network blip whose"))["before"])
    for code in ("CI_RERUN_FAILED", "CI_RERUN_IMPOSSIBLE"):
        assert with_note(blip, "not run again", code=code).fingerprint == blip.fingerprint


def test_an_empty_log_is_known_by_the_word_of_the_ci_system() -> None:
    memory = "Container 'Build' exceeded memory limit."
    assert is_same_failure(told("", error=memory), told("", error=memory, number=2))
    assert not is_same_failure(told("", error=memory), told("", error="The step was stopped by a person."))
    assert is_same_failure(told(""), told("", number=2))
    assert not is_same_failure(told(""), told(PAIRS[0]["before"]))


def test_numbers_and_hashes_make_no_new_failure() -> None:
    line = "fatal: checksum of object {} does not match after {} ms on runner-{}"
    one = told(line.format("4f1d2c3e9a", 120, 7))
    other = told(line.format("99e01bc7d2", 4810, 12))
    assert one.fingerprint == other.fingerprint
    assert one.occasion == other.occasion == "{1}"
