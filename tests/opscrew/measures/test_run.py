"""What a table tells beside its numbers: of how much of the whole, what is unknown, what too few runs can say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, insert

from opscrew.ci.rerun.history import record_sighting
from opscrew.ci.rerun.outage import Sighting
from opscrew.ci.watch.poll_bucket import Poller
from opscrew.ci.watch.poll_states import save
from opscrew.ci.watch.polling import PollState
from opscrew.ci_history.coverage import FIRST, Coverage, save_coverage
from opscrew.ci_history.keeping import ReadSteps, keep_pipelines, keep_steps
from opscrew.errors import UsageError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.measures.query import Query, Row, Span, Table
from opscrew.measures.run import run
from opscrew.model.subject import Subject
from opscrew.store.tables.runs import runs
from tests.conftest import ManualClock
from tests.support.ci_month import utc
from tests.support.ci_runs import pipeline, step
from tests.support.databases import on_sqlite_alone

BERLIN = ZoneInfo("Europe/Berlin")
DAY = Span(utc(2026, 11, 2), utc(2026, 11, 3))
NOW = utc(2026, 11, 3)


def at(minutes: float) -> datetime:
    return DAY.since + timedelta(minutes=minutes)


def keep(engine: Engine, slug: str, states: Sequence[str], coverage: Coverage | None = None) -> None:
    name = f"acme/{slug}"
    built = [pipeline(n, at(10 * n), state, commit=f"c{n}", seconds=60 * n) for n, state in enumerate(states, 1)]
    keep_pipelines(engine, name, built, NOW, coverage or Coverage(name, FIRST, NOW, True))


def ask(engine: Engine, *measures: str, now: datetime = NOW, **more: Any) -> Table:
    return run(engine, replace(Query(measures, DAY), **more), now=now, zone=BERLIN)


def numbers(row: Row) -> list[float | None]:
    return [value.number for value in row.values]


def test_totals_are_of_everything_and_rows_may_be_cut(database: Engine) -> None:
    keep(database, "shop", ["failed"] * 3 + ["passed"])
    keep(database, "web", ["failed", "passed"])
    keep(database, "api", ["passed"] * 6)
    table = ask(database, "failures", "runs", by=("repository",), limit=2)
    assert [(row.key, numbers(row)) for row in table.rows] == [(("acme/shop",), [3, 4]), (("acme/web",), [1, 2])]
    assert numbers(table.totals) == [4, 12]
    assert table.left_out == 1
    by_name = ask(database, "failures", "runs", by=("repository",), order="repository")
    assert [row.key for row in by_name.rows] == [("acme/api",), ("acme/shop",), ("acme/web",)]
    alone = ask(database, "failures", by=("repository",))
    assert [row.key for row in alone.rows] == [("acme/shop",), ("acme/web",)], "nothing is counted, no row"
    fewest = ask(database, "runs", "failures", by=("repository",), order="failures")
    assert [numbers(row)[1] for row in fewest.rows] == [0, 1, 3]


def test_too_few_runs_are_shown_and_make_no_percentile(database: Engine) -> None:
    keep(database, "shop", ["passed", "failed", "passed"])
    (value,) = ask(database, "pipeline_duration:p95").totals.values
    assert (value.number, value.runs, value.of) == (None, (60, 120, 180), 3)
    keep(database, "web", ["passed"] * 2)
    (value,) = ask(database, "pipeline_duration:p50").totals.values
    assert (value.number, value.runs, value.of) == (120, (), 5)


def test_a_share_of_nothing_is_no_number(database: Engine) -> None:
    keep(database, "shop", ["running", "stopped"])
    (value,) = ask(database, "success_rate").totals.values
    assert (value.number, value.part, value.of) == (None, 0, 0)
    keep(database, "web", ["passed", "failed", "passed", "stopped"])
    (value,) = ask(database, "success_rate").totals.values
    assert (value.number, value.part, value.of) == (2 / 3, 2, 3)


def test_what_nobody_reported_is_not_zero(database: Engine) -> None:
    keep(database, "shop", ["passed"])
    assert numbers(ask(database, "tests_failed", "wasted_minutes").totals) == [None, 0]


def test_two_spans_are_compared_group_by_group(database: Engine) -> None:
    keep(database, "shop", ["failed", "passed", "failed"])
    earlier = [pipeline(50 + n, at(-60 * n), "failed", commit=f"o{n}", branch="old") for n in range(1, 3)]
    keep_pipelines(database, "acme/shop", earlier, NOW)
    before = Span(DAY.since - timedelta(days=1), DAY.since)
    table = ask(database, "failures", by=("branch",), compared=before)
    told = {row.key: (numbers(row), [value.number for value in row.before or ()]) for row in table.rows}
    assert told == {("main",): ([2], [0]), ("old",): ([0], [2])}
    assert table.totals.before is not None
    assert table.totals.before[0].number == 2
    assert table.compared_coverage is not None


def test_coverage_of_the_whole(database: Engine) -> None:
    keep(database, "shop", ["passed"])
    keep(database, "web", ["passed"], Coverage("acme/web", utc(2026, 10, 30), NOW, False))
    coverage = ask(database, "runs").coverage
    assert coverage.text == "2 of 2 repositories, complete since 30 Oct"
    assert coverage.is_whole
    keep(database, "web", ["passed"], Coverage("acme/web", FIRST, NOW, True))
    assert ask(database, "runs").coverage.text == "2 of 2 repositories, complete from the first pipeline on"


def test_a_time_before_what_is_complete_is_said(database: Engine) -> None:
    keep(database, "shop", ["passed"])
    keep(database, "web", ["passed"], Coverage("acme/web", at(600), NOW, False))
    keep(database, "docs", [], Coverage("acme/docs", refused="403"))
    keep(database, "new", [], Coverage("acme/new"))
    coverage = ask(database, "runs").coverage
    assert coverage.text == (
        "1 of 4 repositories complete for this time; docs cannot be read, new not read yet, web since 2 Nov"
    )
    assert not coverage.is_whole
    alone = ask(database, "runs", where={"repository": ("shop",)}).coverage
    assert (alone.text, alone.is_whole) == ("1 of 1 repository, complete from the first pipeline on", True)


def test_a_repository_that_is_gone_is_not_waited_for(database: Engine) -> None:
    keep(database, "gone", ["failed"], Coverage("acme/gone", FIRST, at(5), True))
    keep(database, "shop", ["failed"])
    save(database, "acme", [PollState("shop", polled_at=NOW)], Poller(1.0, NOW))
    table = ask(database, "failures")
    assert table.coverage.text == "1 of 1 repository, complete from the first pipeline on"
    assert numbers(table.totals) == [2], "what it built still counts"
    assert "gone last read" in ask(database, "failures", where={"repository": ("gone",)}).coverage.text


def test_what_was_last_read_long_ago_is_said(database: Engine) -> None:
    keep(database, "shop", ["passed"], Coverage("acme/shop", FIRST, at(600), True))
    coverage = ask(database, "runs").coverage
    assert coverage.text.endswith("; shop last read 2 Nov 11:00")
    assert not coverage.is_whole


def test_steps_that_were_not_read_are_said(database: Engine) -> None:
    keep(database, "shop", ["failed", "passed", "running"])
    coverage = ask(database, "step_failures").coverage
    assert coverage.text.endswith("; steps known of 0 of 2 finished pipelines")
    assert not coverage.is_whole
    for number in (1, 2):
        read = ReadSteps(f"{{main-{number}}}", at(10 * number), (step("test", at(10 * number + 1)),))
        keep_steps(database, "acme/shop", [read])
    coverage = ask(database, "step_failures", where={"branch": ("main",)}).coverage
    assert coverage.is_whole
    assert "steps known of 2 of 2" in coverage.text


def test_an_unknown_repository_is_said_first(database: Engine) -> None:
    keep(database, "payments", ["failed"])
    table = ask(database, "failures", where={"repository": ("paymnets",)})
    assert table.coverage.unknown == ("No repository paymnets is known. Did you mean payments?",)
    assert not table.coverage.is_whole
    assert numbers(ask(database, "failures", where={"repository": ("Payments",)}).totals) == [1]
    assert numbers(ask(database, "failures", where={"repository": ("acme/payments",)}).totals) == [1]


@on_sqlite_alone
@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"measures": ("failurs",)}, "Did you mean failures"),
        ({"measures": ()}, "no measure"),
        ({"measures": ("runs:p95",)}, "cannot be told as"),
        ({"by": ("step",)}, "cannot be asked by step"),
        ({"where": {"brunch": ("main",)}}, "Did you mean branch"),
        ({"where": {"day": ("2026-11-02",)}}, "time range"),
        ({"by": ("day",), "compared": Span(at(-1440), at(0))}, "cannot be compared"),
        ({"order": "-attempts"}, "cannot order"),
        ({"limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_what_can(database: Engine, change: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError) as problem:
        run(database, replace(Query(("runs",), DAY), **change), now=NOW, zone=BERLIN)
    assert told in f"{problem.value} {problem.value.hint}"


def test_findings_actions_and_signatures_are_counted_from_the_crews_own_records(
    database: Engine, clock: ManualClock
) -> None:
    with database.begin() as connection:
        began = {"crew": "ci_watch", "started_at": at(-3000), "ended_at": at(-3000), "outcome": "ok", "summary": ""}
        connection.execute(insert(runs).values(**began, unavailable=[], **_others(began)))
    keep(database, "shop", ["passed"])
    clock.now = at(60)
    ledger = Ledger(database, clock)
    told = [
        finding(code, Subject(system="bitbucket", kind="branch", scope="acme/shop", name=name), "it failed")
        for code, name in (("CI_GENUINE_FAILURE", "main"), ("CI_OUTAGE", "all"))
    ]
    ledger.observe("ci", told, complete=True)
    clock.now = at(90)
    ledger.observe("ci", told[:1], complete=True)
    for number, signature in enumerate(("dns", "dns", "disk_full")):
        record_sighting(database, Sighting(signature, f"acme/shop#{number}", at(number)))
    table = ask(database, "findings_opened", "findings_resolved", "findings_open", by=("code", "repository"))
    assert {row.key: numbers(row) for row in table.rows} == {
        ("CI_GENUINE_FAILURE", "acme/shop"): [1, 0, 1],
        ("CI_OUTAGE", "acme/shop"): [1, 1, 0],
    }
    assert ask(database, "time_to_resolve").totals.values[0].runs == (1800,)
    assert table.coverage.text == "the crew's own records, since 30 Oct"
    assert table.coverage.is_whole
    signatures = ask(database, "failures_by_signature", by=("signature",), where={"repository": ("shop",)})
    assert {row.key: numbers(row) for row in signatures.rows} == {("dns",): [2], ("disk_full",): [1]}


def _others(given: dict[str, Any]) -> dict[str, Any]:
    """The columns of a run that this test does not care for."""
    empty: dict[str, Any] = {"Boolean": False, "JSON": [], "Integer": 0}
    return {
        column.name: empty.get(type(column.type).__name__, "")
        for column in runs.c
        if column.name not in given and column.name != "unavailable" and not column.nullable and not column.primary_key
    }


def test_rows_of_records_and_of_pipelines_stand_in_one_table(database: Engine) -> None:
    keep(database, "shop", ["failed"])
    table = ask(database, "failures", "actions", by=("repository",))
    assert [(row.key, numbers(row)) for row in table.rows] == [(("acme/shop",), [1, 0])]
    assert table.coverage.text.endswith("the crew has not run yet")


def test_coverage_is_kept_with_what_it_speaks_of(database: Engine) -> None:
    with database.begin() as connection:
        save_coverage(connection, Coverage("acme/x", at(0), at(1), False, "no", at(2)))
    assert ask(database, "runs").coverage.text.endswith("; x cannot be read any more, the last time 2 Nov 01:01")


def test_none_found_where_nothing_was_read_is_no_zero(database) -> None:
    """An empty store must not look like a day without builds."""
    whole = Query(("runs", "failures"), Span(at(0), at(60)))
    assert [one.number for one in run(database, whole, now=NOW, zone=BERLIN).totals.values] == [None, None]
    keep(database, "web", [], Coverage("acme/web"))
    assert [one.number for one in run(database, whole, now=NOW, zone=BERLIN).totals.values] == [None, None]
    keep(database, "web", [], Coverage("acme/web", FIRST, NOW, True))
    assert [one.number for one in run(database, whole, now=NOW, zone=BERLIN).totals.values] == [0, 0]
