"""Failures of many tools, written as these print them, told apart without a signature having been made for each.

What a change broke must never be run again, not one case of it. Of what passes by itself a few may be missed: two of
these say too little, and are kept so that nobody mends them by a rule that is too wide.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import pytest
import yaml

from opscrew.ci.classify import Classification, Verdict, classify
from opscrew.ci.explain import explain

FOLDER = Path(__file__).with_name("data") / "failures"


@cache
def failures() -> tuple[tuple[Verdict, str, str], ...]:
    """Verdict, name and log of every written failure."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))]
    entries = [(Verdict(file["verdict"]), entry) for file in files for entry in file["failures"]]
    return tuple((verdict, entry["name"], entry["log"]) for verdict, entry in entries)


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
    unnamed = [name for name, log in LASTING if judged(log).verdict is Verdict.UNKNOWN]
    assert len(unnamed) <= len(LASTING) // 12, unnamed
