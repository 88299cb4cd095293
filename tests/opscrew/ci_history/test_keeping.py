"""Pipelines and steps are stored once, and each knows its place among the attempts at the same build."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine, func, select

from opscrew.ci_history.keeping import ReadSteps, keep_pipelines, keep_steps
from opscrew.ci_history.wanted import forget_before, without_steps
from opscrew.store.tables.ci_history import ci_pipelines, ci_steps
from tests.support.ci_runs import pipeline, step
from tools.bitbucket.records import Pipeline, TestReportSummary

NOON = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
SHOP = "acme/shop"


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def rows(engine: Engine) -> dict[int, Any]:
    with engine.connect() as connection:
        return {row.number: row for row in connection.execute(select(ci_pipelines))}


def keep(engine: Engine, *pipelines: Pipeline) -> int:
    return keep_pipelines(engine, SHOP, pipelines, at(600))


def test_what_is_told_twice_is_stored_once(database: Engine) -> None:
    built = [pipeline(number, at(number), commit=f"c{number}") for number in range(1, 60)]
    assert keep(database, *built) == 59
    assert keep(database, *built) == 0
    assert len(rows(database)) == 59


def test_a_pipeline_that_has_ended_since_is_stored_anew(database: Engine) -> None:
    keep(database, pipeline(1, at(0), "running"))
    assert (rows(database)[1].state, rows(database)[1].ended_at) == ("running", None)
    assert keep(database, pipeline(1, at(0), "failed", seconds=90)) == 1
    row = rows(database)[1]
    assert (row.state, row.duration_seconds, row.ended_at) == ("failed", 90, at(2))


def test_attempts_at_one_build_know_each_other_whatever_their_order(database: Engine) -> None:
    first, second, third = (
        pipeline(number, at(number), state, trigger=trigger)
        for number, state, trigger in ((1, "failed", "PUSH"), (2, "failed", "MANUAL"), (3, "passed", "MANUAL"))
    )
    keep(database, third)
    keep(database, pipeline(4, at(9), commit="another"), first)
    keep(database, second)
    found = rows(database)
    assert [(found[n].attempt, found[n].is_last, found[n].failed_before) for n in (1, 2, 3, 4)] == [
        (1, False, False),
        (2, False, True),
        (3, True, True),
        (1, True, False),
    ]
    assert {found[n].build_at for n in (1, 2, 3)} == {at(1)}


def test_a_schedule_that_fires_again_is_a_build_of_its_own(database: Engine) -> None:
    nights = [pipeline(number, at(1440 * number), trigger="SCHEDULE") for number in (1, 3)]
    by_hand = pipeline(2, at(1500), "failed", trigger="MANUAL")
    keep(database, *nights, by_hand)
    assert [(row.attempt, row.is_last) for _, row in sorted(rows(database).items())] == [
        (1, False),
        (2, True),
        (1, True),
    ]


def test_other_variables_are_another_build(database: Engine) -> None:
    to = [{"variables": [{"key": "TO", "value": place}]} for place in ("east", "west")]
    keep(database, *(pipeline(n, at(n), trigger="MANUAL", **more) for n, more in enumerate(to)))
    assert [row.attempt for row in rows(database).values()] == [1, 1]


def test_a_failure_that_was_run_again_in_place_is_not_forgotten(database: Engine) -> None:
    keep(database, pipeline(1, at(0), "failed"))
    keep(database, pipeline(1, at(0), "running", run_number=2))
    keep(database, pipeline(1, at(0), "passed", run_number=2))
    assert (rows(database)[1].state, rows(database)[1].failed_before) == ("passed", True)


def test_a_deployment_that_was_run_again_in_place_rescued_nothing(database: Engine) -> None:
    keep(database, pipeline(1, at(0), "passed"))
    keep(database, pipeline(1, at(0), "passed", run_number=2))
    assert not rows(database)[1].failed_before


def test_time_to_green_counts_from_the_first_failure_of_the_target(database: Engine) -> None:
    told = ["failed", "failed", "stopped", "passed", "passed", "failed", "passed"]
    built = [pipeline(n, at(10 * n), state, commit=f"c{n}") for n, state in enumerate(told)]
    for one in reversed(built):
        keep(database, one, pipeline(50 + one.build_number, at(3), "failed", branch="other"))
    green = {n: row.green_after_seconds for n, row in rows(database).items() if row.green_after_seconds is not None}
    assert green == {3: 1800, 6: 600}


def test_unknown_words_and_missing_fields_are_kept_and_count_as_nothing(database: Engine) -> None:
    odd = Pipeline.model_validate({"uuid": "{1}", "created_on": "2026-11-02T12:00:00Z", "state": {"name": "DREAMING"}})
    expired = pipeline(7, at(1), "EXPIRED", seconds=None, completed_on=None)
    nothing_ran = pipeline(8, at(2), "failed", seconds=0)
    keep(database, odd, expired, nothing_ran)
    found = rows(database)
    assert found[0].state in ("running", "other")
    assert (found[7].state, found[7].duration_seconds) == ("other", None)
    assert (found[8].state, found[8].duration_seconds) == ("failed", None)


def test_steps_are_stored_with_their_tests_and_each_run_of_them(database: Engine) -> None:
    keep(database, pipeline(1, at(0), "failed"), pipeline(2, at(5), "running"))
    (wanted,) = without_steps(database, [SHOP], 10)
    report = TestReportSummary.model_validate({"number_of_test_cases": 9, "number_of_failed_test_cases": 2})
    broken = ReadSteps(wanted.uuid, wanted.created_at, (step("test", at(1), 60, "failed"),), {0: report})
    assert keep_steps(database, SHOP, [broken]) == keep_steps(database, SHOP, [broken]) == 1
    assert without_steps(database, [SHOP], 10) == []
    again = ReadSteps(
        wanted.uuid, wanted.created_at, (step("test", at(9), 60, run_number=2, runs_on=["linux", "big"]),)
    )
    keep_steps(database, SHOP, [again, ReadSteps("{unknown}", NOON, (step("x", at(1)),))])
    with database.connect() as connection:
        stored = connection.execute(select(ci_steps).order_by(ci_steps.c.run_number)).all()
    assert [(row.state, row.tests, row.tests_failed, row.queue_seconds, row.runner) for row in stored] == [
        ("failed", 9, 2, 60, "bitbucket"),
        ("passed", None, None, None, "linux, big"),
    ]


def test_what_is_too_old_goes_with_its_steps(database: Engine) -> None:
    keep(database, pipeline(1, at(0)), pipeline(2, at(100)))
    for wanted in without_steps(database, [SHOP], 10):
        keep_steps(database, SHOP, [ReadSteps(wanted.uuid, wanted.created_at, (step("test", at(1)),))])
    assert forget_before(database, at(50)) == 1
    assert list(rows(database)) == [2]
    with database.connect() as connection:
        assert connection.execute(select(func.count()).select_from(ci_steps)).scalar_one() == 1
