"""Failures of many tools, written as these print them, told apart without a signature having been made for each.

What a change broke must never be run again, not one case of it. Of what passes by itself a few may be missed: two of
these say too little, and are kept so that nobody mends them by a rule that is too wide.
"""

from __future__ import annotations

import io
import random
from functools import cache
from pathlib import Path

import pytest
import yaml

from demo.bitbucket.frames import FORMS, Checkout, Form, framed, random_subject
from opscrew.ci.explain.lines import explain
from opscrew.ci.judge.classify import Classification, Verdict, classify

FOLDER = Path(__file__).parents[1] / "data" / "failures"


@cache
def failures() -> tuple[tuple[Verdict, str, str], ...]:
    """Verdict, name and log of every written failure."""
    files = [_read(path) for path in sorted(FOLDER.glob("*.yaml"))]
    return tuple((verdict, entry["name"], entry["log"]) for verdict, entries in files for entry in entries)


def _read(path: Path) -> tuple[Verdict, list[dict[str, str]]]:
    content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return Verdict(content["verdict"]), content["failures"]


@cache
def judged(log: str) -> Classification:
    return classify(explain(io.BytesIO(log.encode())))


LASTING = [(name, log) for verdict, name, log in failures() if verdict is not Verdict.TRANSIENT]
PASSING = [(name, log) for verdict, name, log in failures() if verdict is Verdict.TRANSIENT]


def test_names_are_told_apart() -> None:
    names = [name for _, name, _ in failures()]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize(("name", "log"), LASTING, ids=[name for name, _ in LASTING])
def test_what_fails_again_is_never_called_transient(name: str, log: str) -> None:
    assert judged(log).verdict is not Verdict.TRANSIENT, judged(log).signature


def test_nearly_all_that_passes_by_itself_is_recognised() -> None:
    missed = [name for name, log in PASSING if judged(log).verdict is not Verdict.TRANSIENT]
    assert len(missed) <= len(PASSING) // 40, missed


def test_most_of_what_fails_again_is_named_and_not_just_left_alone() -> None:
    lasting = [
        (name, log) for verdict, name, log in failures() if verdict in (Verdict.GENUINE, Verdict.INFRA_PERSISTENT)
    ]
    unnamed = [name for name, log in lasting if judged(log).verdict is Verdict.UNKNOWN]
    assert len(unnamed) <= len(lasting) // 12, unnamed


REPORTED = [
    (verdict, entry["name"], entry["log"])
    for path in sorted(FOLDER.glob("reported_*.yaml"))
    for verdict, content in [_read(path)]
    for entry in content
]


@pytest.mark.parametrize(("verdict", "name", "log"), REPORTED, ids=[name for _, name, _ in REPORTED])
def test_what_people_reported_is_judged_as_they_found_it(verdict: Verdict, name: str, log: str) -> None:
    found = judged(log)
    assert found.verdict is verdict, (name, found.signature)


@pytest.mark.parametrize("form", FORMS)
def test_no_failure_is_judged_by_what_bitbucket_prints_around_it(form: Form) -> None:
    """Whatever the subject of the commit says."""
    dice = random.Random(form)
    moved = [
        name
        for _, name, log in failures()
        if judged(framed(log, form, Checkout(subject=random_subject(dice)), _script(log, form))).verdict
        is not judged(log).verdict
    ]
    assert moved == []


def _script(log: str, form: Form) -> str:
    if log.startswith(("+ ", "$ ")):
        return ""
    return "acme/check:1.0" if form == "pipe" else "./build.sh"
