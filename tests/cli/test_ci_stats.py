"""`crew ci stats` and `crew measures` as people and programs use them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from cli.spans import span_before, span_of
from opscrew.ci_history.coverage import FIRST, Coverage
from opscrew.ci_history.keeping import ReadSteps, keep_pipelines, keep_steps
from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.ci_runs import pipeline, step
from tests.support.crew_command import CrewCommand

NOW = datetime(2026, 11, 3, 14, 0, tzinfo=UTC)


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "crew.yaml").write_text("timezone: Europe/Berlin\nmemory: {embedding: none}\n")
    engine = open_database(Settings().database_url)
    morning = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
    for slug, states in {"shop": ["failed"] * 2 + ["passed"] * 6, "web": ["passed", "failed"]}.items():
        name = f"acme/{slug}"
        built = [
            pipeline(n, morning + timedelta(minutes=9 * n), state, commit=f"c{n}", seconds=60 * n)
            for n, state in enumerate(states, 1)
        ]
        old = pipeline(90, morning - timedelta(days=1), "failed", commit="old")
        keep_pipelines(engine, name, [*built, old], NOW, Coverage(name, FIRST, NOW, True))
        steps = [
            ReadSteps(one.uuid, one.created_on, (step("Unit [tests]", one.created_on, 30),)) for one in [*built, old]
        ]
        keep_steps(engine, name, steps)
    engine.dispose()
    return CrewCommand(monkeypatch, capsys)


@pytest.fixture(autouse=True)
def _standing_still():
    with time_machine.travel(NOW, tick=False):
        yield


def test_a_day_in_numbers(crew: CrewCommand) -> None:
    out = crew("ci", "stats").out
    lines = {line.partition("  ")[0].strip() or line.strip().partition("  ")[0]: line for line in out.splitlines()}
    assert out.startswith("2026-11-03 00:00 to 2026-11-03 15:00\n")
    assert lines["builds"].split()[-1] == "10"
    assert lines["failed builds"].split()[-1] == "3"
    assert lines["success rate"].endswith("70 % (7 of 10)")
    assert lines["duration of pipelines, median"].endswith("3 min 30 s")
    assert " ".join(out.split()).endswith("of 10 finished pipelines.")
    assert out.splitlines()[-2].startswith("Counted: 2 of 2 repositories, complete from the first pipeline on")


def test_rows_have_a_total_and_the_worst_comes_first(crew: CrewCommand) -> None:
    out = crew("ci", "stats", "--by", "repo", "--compare").out
    rows = [line for line in out.splitlines() if line.startswith(("acme/", "all"))]
    assert [row.split()[0] for row in rows] == ["acme/shop", "acme/web", "all"]
    assert "3 (2)" in rows[-1]
    assert "(before: 2026-11-02 00:00 to 2026-11-02 15:00)" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80


def test_names_with_marks_of_the_screen_are_shown_as_they_are(crew: CrewCommand) -> None:
    assert "[tests]" in crew("ci", "stats", "--by", "step").out


def test_json_is_one_object_with_what_was_reached(crew: CrewCommand) -> None:
    told = json.loads(crew("ci", "stats", "--repo", "web", "--json").out)
    assert told["totals"]["values"]["failures"] == {"number": 1, "of": 1, "part": None, "runs": []}
    assert told["totals"]["values"]["pipeline_duration_p95"]["runs"] == [60, 120]
    assert told["coverage"]["repositories"] == 1
    assert told["since_at"].startswith("2026-11-03T00:00:00+01:00")


def test_an_unknown_repository_names_near_ones_and_is_a_failure(crew: CrewCommand) -> None:
    ran = crew("ci", "stats", "--repo", "shpo")
    assert ran.code == 1
    assert "no repository shpo is known" in ran.err
    assert "shop" in ran.err
    some = crew("ci", "stats", "--repo", "shpo", "--repo", "web")
    assert some.code == 0
    assert "No repository shpo is known." in some.out


def test_measures_are_listed_shown_and_asked(crew: CrewCommand) -> None:
    assert "queue_time: queue time of steps" in crew("measures", "list").out
    assert "derived" in crew("measures", "show", "queue_time").out
    asked = crew("measures", "query", "failures", "--by", "repository", "--where", "branch=main", "--since", "2d").out
    assert "acme/shop" in asked
    wrong = crew("measures", "query", "failurs")
    assert (wrong.code, "failures" in wrong.err) == (2, True)


@pytest.mark.parametrize(
    ("day", "since", "until", "hours"),
    [
        ("2026-10-25", "", "", 25),
        ("2026-03-29", "", "", 23),
        ("yesterday", "", "", 24),
        ("", "2026-10-24", "2026-10-25", 49),
        ("", "3h", "", 3),
        ("", "2026-11-02T12:00", "2026-11-02T13:30", 1.5),
    ],
)
def test_spans_are_those_of_the_zone(day: str, since: str, until: str, hours: float) -> None:
    zone = Settings(timezone="Europe/Berlin").zone
    span = span_of(day, since, until, NOW, zone)
    assert span.until.astimezone(UTC) - span.since.astimezone(UTC) == timedelta(hours=hours)


def test_the_day_before_a_long_day_is_a_whole_day() -> None:
    zone = Settings(timezone="Europe/Berlin").zone
    before = span_before(span_of("2026-10-26", "", "", NOW, zone), zone)
    assert before.until.astimezone(UTC) - before.since.astimezone(UTC) == timedelta(hours=25)


@pytest.mark.parametrize(
    "given", [("2026-02-30", "", ""), ("soon", "", ""), ("today", "7d", ""), ("", "noon", ""), ("", "1d", "2d")]
)
def test_a_time_that_is_none_is_refused(given: tuple[str, str, str]) -> None:
    with pytest.raises(UsageError):
        span_of(*given, NOW, Settings(timezone="Europe/Berlin").zone)
