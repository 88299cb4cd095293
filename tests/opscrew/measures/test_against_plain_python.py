"""Every number of a generated month is worked out a second time, in plain Python from what was generated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from statistics import mean
from typing import Any
from zoneinfo import ZoneInfo

import numpy
import pytest
from sqlalchemy import Engine

from opscrew.measures.query import Query, Span
from opscrew.measures.run import run
from tests.support.ci_month import Made, keep_month, make_month, utc

BERLIN = ZoneInfo("Europe/Berlin")
MONTHS = [(utc(2026, 10, 10), 17, 11), (utc(2027, 3, 20), 12, 12)]
"""Around the days on which the clocks of Berlin change: 25 hours long, and 23."""


@pytest.fixture(params=MONTHS, ids=["autumn", "spring"])
def month(request: pytest.FixtureRequest, database: Engine) -> tuple[Engine, list[Made], Span]:
    since, days, seed = request.param
    made = make_month(since, days, seed, a_day=25)
    now = since + timedelta(days=days + 3)
    keep_month(database, made, now)
    # Begins and ends in the middle of what there is, and not at the full hour.
    return database, made, Span(since + timedelta(days=1, minutes=7), since + timedelta(days=days - 1, hours=5))


def told(month: tuple[Engine, list[Made], Span], *measures: str, by: tuple[str, ...] = ()) -> dict[Any, list[Any]]:
    engine, _, span = month
    table = run(engine, Query(measures, span, by), now=span.until, zone=BERLIN)
    assert table.coverage.complete == table.coverage.repositories == 4
    rows = table.rows if by else (table.totals,)
    return {row.key: [value.number for value in row.values] for row in rows}


def builds(month: tuple[Engine, list[Made], Span]) -> list[list[Made]]:
    """Attempts of each build, of those whose first lies in the span."""
    _, made, span = month
    found: dict[Any, list[Made]] = defaultdict(list)
    for one in made:
        found[one.build].append(one)
    return [group for group in found.values() if span.since <= group[0].created < span.until]


def attempts(month: tuple[Engine, list[Made], Span]) -> list[Made]:
    _, made, span = month
    return [one for one in made if span.since <= one.created < span.until]


def day(moment: datetime) -> str:
    return moment.astimezone(BERLIN).date().isoformat()


def grouped(things: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for one in things:
        found[key(one)].append(one)
    return found


def test_builds_by_day(month) -> None:
    found = told(month, "runs", "failures", "successes", "rescues", "flips", by=("day",))
    truth = {}
    for name, group in grouped(builds(month), lambda group: day(group[0].created)).items():
        states = [[one.state for one in build] for build in group]
        truth[(name,)] = [
            len(group),
            sum(build[-1] == "failed" for build in states),
            sum(build[-1] == "passed" for build in states),
            sum(build[-1] == "passed" and "failed" in build for build in states),
            sum("passed" in build and "failed" in build for build in states),
        ]
    assert found == truth
    assert len(found) > 9


def test_rates_by_repository(month) -> None:
    found = told(month, "success_rate", "failure_rate", "rescue_rate", "flip_rate", by=("repository",))
    for slug, group in grouped(builds(month), lambda group: group[0].repository).items():
        states = [[one.state for one in build] for build in group]
        decided = [build for build in states if build[-1] in ("passed", "failed")]
        passed = sum(build[-1] == "passed" for build in decided)
        again = [build for build in decided if "failed" in build[:-1]]
        ever = [build for build in states if {"passed", "failed"} & set(build)]
        assert found[(f"acme/{slug}",)] == pytest.approx(
            [
                passed / len(decided),
                1 - passed / len(decided),
                sum(build[-1] == "passed" for build in again) / len(again) if again else None,
                sum({"passed", "failed"} <= set(build) for build in ever) / len(ever),
            ]
        )


def test_attempts_and_minutes_by_week(month) -> None:
    found = told(month, "attempts", "reruns", "build_minutes", "wasted_minutes", by=("week",))
    last = {id(group[-1]) for group in grouped(month[1], lambda one: one.build).values()}
    first = {id(group[0]) for group in grouped(month[1], lambda one: one.build).values()}

    def monday(one: Made) -> str:
        local = one.created.astimezone(BERLIN).date()
        return (local - timedelta(days=local.weekday())).isoformat()

    for name, group in grouped(attempts(month), monday).items():
        wasted = [one for one in group if id(one) not in last or one.state == "stopped"]
        assert found[(name,)] == pytest.approx(
            [
                len(group),
                sum(id(one) not in first for one in group),
                sum(work(one) for one in group if one.ended) / 60,
                sum(work(one) for one in wasted if one.ended) / 60,
            ]
        )


def work(one: Made) -> float:
    assert one.ended is not None
    return one.seconds if one.seconds is not None else (one.ended - one.created).total_seconds()


def test_durations_of_pipelines(month) -> None:
    hows = ("p50", "p95", "mean", "max", "sum")
    found = told(month, *(f"pipeline_duration:{how}" for how in hows), by=("repository", "trigger"))
    decided = [one for one in attempts(month) if one.state in ("passed", "failed")]
    for (slug, trigger), group in grouped(decided, lambda one: (one.repository, one.trigger.lower())).items():
        values = [work(one) for one in group]
        expected = statistics(values)
        assert found[(f"acme/{slug}", trigger)] == pytest.approx(expected), (slug, trigger, len(values))


def statistics(values: list[float]) -> list[float | None]:
    few = len(values) < 5
    middle, high = (None, None) if few else (float(one) for one in numpy.percentile(values, [50, 95]))
    return [middle, high, mean(values), max(values), sum(values)]


def test_durations_and_queues_of_steps(month) -> None:
    hows = ("p50", "p95", "mean", "max", "sum")
    labels = [f"{name}:{how}" for name in ("step_duration", "queue_time") for how in hows]
    found = told(month, *labels, "step_runs", "step_failures", "step_failure_rate", by=("step",))
    _, made, span = month
    steps = [one for built in made for one in built.steps if span.since <= one[1] < span.until]
    for name, group in grouped(steps, lambda one: one[0]).items():
        decided = [one for one in group if one[3] in ("passed", "failed")]
        failed = [one for one in group if one[3] == "failed"]
        assert found[(name,)] == pytest.approx(
            [
                *statistics([float(one[2]) for one in decided]),
                *statistics([one[4] for one in group if one[4] is not None]),
                len(group),
                len(failed),
                len(failed) / len(decided),
            ]
        )


def test_time_to_green(month) -> None:
    spans = []
    _, made, span = month
    for group in grouped(made, lambda one: (one.repository, one.branch)).values():
        broken = None
        for one in sorted(
            (one for one in group if one.state in ("passed", "failed")), key=lambda one: (one.ended, one.number)
        ):
            if one.state == "failed":
                broken = broken or one.ended
            elif broken is not None:
                if span.since <= one.created < span.until:
                    spans.append((one.ended - broken).total_seconds())
                broken = None
    (found,) = told(month, *(f"time_to_green:{how}" for how in ("p50", "p95", "mean", "max"))).values()
    assert found == pytest.approx(statistics(spans)[:4])


@pytest.mark.parametrize("name", ["hour", "weekday", "hour_of_day"])
def test_every_hour_is_one_of_the_zone(month, name: str) -> None:
    def label(one: Made) -> str:
        local = one.created.astimezone(BERLIN)
        words = {
            "hour": local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes"),
            "weekday": f"{local:%a}",
            "hour_of_day": f"{local:%H}",
        }
        return words[name]

    truth = {(key,): [len(group)] for key, group in grouped(attempts(month), label).items()}
    found = told(month, "attempts", by=(name,))
    assert found == truth
    order = [key for (key,) in found]
    assert order == (
        ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] if name == "weekday" else sorted(order, key=key_of)
    )


def key_of(label: str) -> Any:
    return datetime.fromisoformat(label) if "T" in label else label
