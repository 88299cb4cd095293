"""Pipelines that failed as a whole are judged by the key of Bitbucket's error."""

from __future__ import annotations

import pytest

from opscrew.ci.judge.classify import Verdict
from opscrew.ci.judge.pipeline_errors import judge_error
from tools.bitbucket.records import StepError

NO_STRING = "The script section in your bitbucket-pipelines.yml file is missing a string."


@pytest.mark.parametrize(
    "key",
    [
        "plan-service.parse.detailed-parse-error",
        "plan-service.parse.missing-section",
        "plan-service.parse.missing-string-specific",
        "plan-service.parse.something-of-next-year",
    ],
)
def test_what_does_not_parse_is_the_changes_own_fault(key: str) -> None:
    judged = judge_error(StepError(key=key, message=f"{NO_STRING}\nTimeout: connection reset by peer"))
    assert (judged.verdict, judged.signature) == (Verdict.GENUINE, "pipeline-definition")
    assert judged.lines[0].text.startswith(NO_STRING)


def test_a_key_without_a_message_is_told_itself() -> None:
    judged = judge_error(StepError(key="plan-service.parse.invalid-list"))
    assert judged.verdict is Verdict.GENUINE
    assert judged.lines[0].text == "plan-service.parse.invalid-list"


def test_secrets_in_the_message_are_masked() -> None:
    judged = judge_error(StepError(key="plan-service.parse.x", message="odd value password=hunter2secret"))
    assert "hunter2secret" not in judged.lines[0].text


def test_what_nobody_has_listed_stays_unknown() -> None:
    assert judge_error(None).verdict is Verdict.UNKNOWN
    assert judge_error(StepError(key="plan-service.quota", message="Something else.")).verdict is Verdict.UNKNOWN
