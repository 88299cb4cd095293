"""Every log of the sandbox is judged as what it was written to be, in each of its languages."""

from __future__ import annotations

from io import BytesIO

import pytest

from demo.bitbucket.logs import build_log, languages
from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import Classification, Verdict, classify

WRITTEN_AS = {"flaky": Verdict.TRANSIENT, "outage": Verdict.TRANSIENT, "failing": Verdict.GENUINE}


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", WRITTEN_AS)
def test_a_log_is_judged_as_it_was_written(language: str, kind: str) -> None:
    judged, shown = judge(language, kind)
    assert judged.verdict is WRITTEN_AS[kind], f"{judged.signature}\n{shown}"


@pytest.mark.parametrize("language", languages())
def test_what_fails_again_is_never_taken_for_a_blip(language: str) -> None:
    """Whose fault it is may be argued (a wrong Ruby version: the image's or the author's?); a re-run helps neither."""
    judged, shown = judge(language, "persistent")
    assert judged.verdict is not Verdict.TRANSIENT, f"{judged.signature}\n{shown}"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("kind", ["flaky", "failing", "persistent", "outage"])
def test_what_bitbucket_writes_after_the_failure_explains_nothing(language: str, kind: str) -> None:
    _, shown = judge(language, kind)
    assert "Build teardown" not in shown
    assert "artifact upload" not in shown
    assert "test report files" not in shown


def judge(language: str, kind: str) -> tuple[Classification, str]:
    """The verdict over the whole log, and the explaining lines for a person who reads the failed test."""
    explanation = explain(BytesIO(build_log(language, kind, "c0ffee", "main", seed=7)))
    return classify(explanation), "\n".join(f"{line.number}: {line.text}" for line in explanation.lines)
