"""The catalogue is read strictly, every number in it can be asked for, and docs/NUMBERS.md is written from it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from opscrew.errors import UsageError
from opscrew.measures import catalogue as module
from opscrew.measures.catalogue import CATALOGUE_FILE, catalogue
from opscrew.measures.page import numbers_page
from opscrew.measures.query import Query, Span
from opscrew.measures.run import run
from tests.support.ci_month import utc

PAGE = Path(__file__).resolve().parents[3] / "docs" / "NUMBERS.md"
MEASURE = """
runs:
  title: builds
  definition: Builds.
  unit: count
  source: builds
  how: [count]
  dimensions: [repository]
  good: up
  words: [builds]
"""


def test_the_page_is_written_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == numbers_page(), "write it anew with `make numbers`"


@pytest.mark.parametrize("name", list(catalogue()))
def test_every_measure_can_be_asked_by_each_of_its_dimensions_and_in_each_way(database: Engine, name: str) -> None:
    measure = catalogue()[name]
    span = Span(utc(2026, 10, 20), utc(2026, 11, 2))
    for how in measure.how:
        for by in measure.dimensions:
            table = run(
                database, Query((f"{name}:{how}",), span, (by,)), now=span.until, zone=ZoneInfo("Europe/Berlin")
            )
            assert table.rows == ()
            assert table.totals.values[0].number in (None, 0)
            assert not table.coverage.is_whole, "nothing was ever read"


def test_words_of_measures_are_their_own() -> None:
    said = [word for measure in catalogue().values() for word in measure.words]
    assert len(said) == len(set(said))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("how: [count]", "how: [median]", "how"),
        ("how: [count]", "how: [p95]", "needs a `value`"),
        ("good: up", "good: bigger", "good"),
        ("source: builds", "source: bilds", "no source"),
        ("dimensions: [repository]", "dimensions: [repo]", "has no 'repo'"),
        ("  good: up", "  goood: up", "good is missing"),
        ("Builds.", "Builds", "definition"),
        ("unit: count", "unit: share", "share"),
        ("  how:", "  where: {outcom: [failed]}\n  how:", "has no 'outcom'"),
    ],
)
def test_a_mistake_in_the_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, told: str
) -> None:
    path = tmp_path / CATALOGUE_FILE.name
    path.write_text(MEASURE.replace(before, after))
    monkeypatch.setattr(module, "CATALOGUE_FILE", path)
    with pytest.raises(UsageError, match=told) as problem:
        catalogue.__wrapped__()
    assert str(path) in str(problem.value)


def test_the_span_is_not_empty() -> None:
    with pytest.raises(UsageError, match="empty"):
        Span(utc(2026, 11, 2), utc(2026, 11, 2))
    assert Span(utc(2026, 11, 2), utc(2026, 11, 2) + timedelta(seconds=1))
