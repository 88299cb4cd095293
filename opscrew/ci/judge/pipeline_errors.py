"""Judges a pipeline that failed as a whole by the key of the error that Bitbucket gives for it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.ci.explain.lines import ExplainedLine, Explanation
from opscrew.ci.judge.classify import LONGEST_MESSAGE, STATED_SCORE, Classification, Verdict, classify
from opscrew.redaction import redact
from opscrew.strict_yaml import load_strictly
from tools.bitbucket.records import StepError

ERRORS_FILE = Path(__file__).with_name("pipeline_errors.yaml")

CONFIDENCE = 1.0
"""Bitbucket itself says what it is; nothing is guessed."""


class KnownError(BaseModel):
    """One entry of ``pipeline_errors.yaml``, explained there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str = Field(min_length=3)
    verdict: Verdict
    signature: str = Field(min_length=1)
    why: str = Field(min_length=1)


class KnownErrors(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    errors: tuple[KnownError, ...]


@cache
def known_errors() -> tuple[KnownError, ...]:
    """As shipped, the longest key first."""
    found = load_strictly(ERRORS_FILE, KnownErrors).errors
    return tuple(sorted(found, key=lambda one: -len(one.key)))


def judge_error(error: StepError | None) -> Classification:
    """The verdict over a pipeline without a failed step. ``error`` is None where Bitbucket says nothing."""
    nothing = Explanation((), 0)
    if error is None:
        return classify(nothing)
    known = next((one for one in known_errors() if error.key.startswith(one.key)), None)
    if known is None:
        return classify(nothing, error_message=error.message)
    words = " ".join(redact(error.message or error.key).split())[:LONGEST_MESSAGE]
    return Classification(known.verdict, known.signature, CONFIDENCE, (ExplainedLine(0, words, STATED_SCORE),))
