"""Measures over many pipelines: how long storing and asking take, and whether the numbers are those of a second way."""

from __future__ import annotations

import csv
import gzip
import json
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy
from sqlalchemy import Engine, text

from bench.section import Row, Section, at_most
from opscrew.ci_history.keeping import ReadSteps, keep_pipelines, keep_steps
from opscrew.measures.query import Query, Span
from opscrew.measures.query import Row as TableRow
from opscrew.measures.run import run
from opscrew.store.database import open_database
from tests.support.ci_runs import pipeline, step
from tools.bitbucket.records import Pipeline, PipelineStep

REPOSITORIES, A_DAY, STEPS = 200, 20_000, ("Build", "Unit tests", "Browser tests", "Package", "Deploy")
DAYS, A_USUAL_DAY = 90, 2_000
DAY = datetime(2026, 11, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
SEED = 20261102
HOWS = ("p50", "p95", "mean", "max", "sum")


def measure(data: Path) -> Section:
    """Times on a database of its own; the equality on two public lists of jobs."""
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        engine = open_database(f"sqlite:///{folder}/day.db")
        pages = _a_day()
        stored = _timed(lambda: _store(engine, pages))
        day = Span(DAY, DAY + timedelta(days=1))
        by_step = ("step_runs", "step_failures", "step_duration", "step_duration:p95", "queue_time:p95")
        one_day = _asked(engine, Query(by_step, day, ("step",)))
        _multiply(engine)
        months = Span(DAY - timedelta(days=DAYS), DAY)
        by_repository = ("runs", "failures", "success_rate", "pipeline_duration:p50", "pipeline_duration:p95")
        builds = _asked(engine, Query(by_repository, months, ("repository",)))
        by_day = _asked(engine, Query(("runs", "failures", "rescues", "build_minutes"), months, ("day",)))
        steps = _asked(engine, Query(("step_failures", "step_duration:p95"), months, ("step",)))
        engine.dispose()
    differing, compared = _differences(data)
    return Section(
        "measures",
        "Counting builds",
        f"SQLite; a day of {A_DAY:,} pipelines with {len(STEPS)} steps each in {REPOSITORIES} repositories, and {DAYS} "
        f"days of {A_USUAL_DAY:,} pipelines. Percentiles are exact. Times of asking are of the "
        "processor, since the machine is shared; that of storing is the clock's. Equality: every number of "
        "two public lists of jobs "
        "(PyTorch's starts and results, Treeherder's submit, start and end) against plain Python and numpy.",
        [
            at_most(
                f"storing a day of {A_DAY:,} pipelines and {A_DAY * len(STEPS):,} steps",
                stored,
                60,
                unit=" s",
                digits=1,
            ),
            at_most(
                "that day by step: runs, failures, mean and 95 % of durations, queue", one_day, 1, unit=" s", digits=2
            ),
            at_most(
                f"{DAYS} days by repository: builds, failures, rate, median and 95 %", builds, 2, unit=" s", digits=2
            ),
            at_most(f"{DAYS} days by day: builds, failures, rescues, minutes", by_day, 2, unit=" s", digits=2),
            at_most(f"{DAYS} days by step: failures, 95 % of durations", steps, 2, unit=" s", digits=2),
            Row(
                "numbers that differ from the second way",
                f"{differing} of {compared:,}",
                "0",
                met=differing == 0 if compared else None,
            ),
        ],
    )


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _asked(engine: Engine, query: Query) -> float:
    """The middle of three times of the processor, in which SQLite works too: what a machine of its own would take."""
    times = []
    for _ in range(3):
        began = time.process_time()
        run(engine, query, now=DAY + timedelta(days=1), zone=BERLIN)
        times.append(time.process_time() - began)
    return sorted(times)[1]


def _a_day() -> dict[str, list[tuple[Pipeline, tuple[PipelineStep, ...]]]]:
    """Pipelines with their steps, by repository."""
    dice = random.Random(SEED)
    pages = {}
    for place in range(REPOSITORIES):
        created = sorted(DAY + timedelta(seconds=dice.randrange(86_400)) for _ in range(A_DAY // REPOSITORIES))
        pages[f"acme/repository-{place}"] = [_built(dice, number, moment) for number, moment in enumerate(created, 1)]
    return pages


def _built(dice: random.Random, number: int, created: datetime) -> tuple[Pipeline, tuple[PipelineStep, ...]]:
    state = "failed" if dice.random() < 0.2 else "passed"
    again = {"commit": f"c{number // 2}", "trigger": dice.choice(["PUSH", "MANUAL"])}
    steps, at = [], created
    for name in STEPS:
        at += timedelta(seconds=dice.randrange(2, 300))
        seconds = dice.randrange(5, 900)
        steps.append(step(name, at, seconds, state if name == STEPS[-1] else "passed"))
        at += timedelta(seconds=seconds)
    return pipeline(number, created, state, seconds=dice.randrange(60, 3_600), **again), tuple(steps)


def _store(engine: Engine, pages: dict[str, list[tuple[Pipeline, tuple[PipelineStep, ...]]]]) -> None:
    """A day as it comes: page by page, and the steps of each page."""
    for name, page in pages.items():
        keep_pipelines(engine, name, [one for one, _ in page], DAY)
        keep_steps(engine, name, [ReadSteps(one.uuid, one.created_on, steps) for one, steps in page])


def _multiply(engine: Engine) -> None:
    """Copies a tenth of the day to each of the days before it, in the database itself."""
    kept = {
        "ci_pipelines": f"number <= {A_USUAL_DAY // REPOSITORIES}",
        "ci_steps": f"pipeline IN (SELECT id FROM ci_pipelines WHERE number <= {A_USUAL_DAY // REPOSITORIES})",
    }
    with engine.begin() as connection:
        most = connection.execute(text("SELECT max(id) FROM ci_pipelines")).scalar_one()
        for table, condition in kept.items():
            columns = [row[1] for row in connection.execute(text(f"PRAGMA table_info({table})")) if row[1] != "id"]
            key = {"id": f"id + :day * {most}", "pipeline": f"pipeline + :day * {most}", "uuid": "uuid || :day"}
            moved = {name: f"{name} - :day * 86400" for name in ("created_at", "build_at", "ended_at", "at", "read_at")}
            names = [*(["id"] if table == "ci_pipelines" else []), *columns]
            chosen = ", ".join({**key, **moved}.get(name, name) for name in names)
            source = f"{table} WHERE {condition} AND {'created_at' if table == 'ci_pipelines' else 'at'} >= :since"
            quoted = ", ".join(f'"{name}"' for name in names)
            statement = text(f"INSERT INTO {table} ({quoted}) SELECT {chosen} FROM {source}")
            for day in range(1, DAYS + 1):
                connection.execute(statement, {"day": day, "since": int(DAY.timestamp())})
        connection.execute(text("ANALYZE"))


def _differences(data: Path) -> tuple[int, int]:
    """How many numbers differ, of how many. Without the data, none of none."""
    differing = compared = 0
    for told, truth in (_starts(data), _lengths(data)):
        keys = told.keys() | truth.keys()
        compared += len(keys)
        differing += sum(not _same(told.get(key), truth.get(key)) for key in keys)
    return differing, compared


def _same(one: Any, other: Any) -> bool:
    return one == other or (one is not None and other is not None and abs(one - other) < 1e-6 * max(1, abs(other)))


def _starts(data: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Jobs with a start and a result: how many and how many failed, by job and by hour."""
    with gzip.open(data / "h_jobs_pytorch.csv.gz", "rt", encoding="utf-8") as file:
        jobs = [
            (datetime.fromisoformat(row["start_time"]), row["conclusion"], row["name"]) for row in csv.DictReader(file)
        ]
    truth: Counter[Any] = Counter()
    for start, conclusion, name in jobs:
        for key in (("step", name), ("hour", start.astimezone(BERLIN).strftime("%Y-%m-%dT%H:00"))):
            truth[(*key, "step_runs")] += 1
            truth[(*key, "step_failures")] += conclusion == "failure"
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        engine = open_database(f"sqlite:///{folder}/jobs.db")
        built = [pipeline(number, start, commit=f"{number}") for number, (start, _, _) in enumerate(jobs)]
        keep_pipelines(engine, "pytorch/pytorch", built, DAY)
        words = {"success": "passed", "failure": "failed"}
        read = [
            ReadSteps(one.uuid, start, (step(name, start, 0, words[conclusion]),))
            for one, (start, conclusion, name) in zip(built, jobs, strict=True)
        ]
        keep_steps(engine, "pytorch/pytorch", read)
        days = Span(min(start for start, _, _ in jobs), max(start for start, _, _ in jobs) + timedelta(seconds=1))
        told = {}
        for by in ("step", "hour"):
            for row in _rows(engine, Query(("step_runs", "step_failures"), days, (by,))):
                key = row.key[0][:16] if by == "hour" else row.key[0]
                told[(by, key, "step_runs")], told[(by, key, "step_failures")] = (one.number for one in row.values)
        engine.dispose()
    return told, dict(truth)


def _lengths(data: Path) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """Jobs with submit, start and end: queue and run, in all and by platform (as the step's name)."""
    jobs = [json.loads(line) for line in (data / "h_jobs_treeherder.jsonl").read_text(encoding="utf-8").splitlines()]
    groups: dict[str, list[Any]] = defaultdict(list)
    for job in jobs:
        groups[job["platform"]].append(job)
        groups[""].append(job)
    labels = [
        f"{name}:{how}" for name in ("queue_time", "step_duration") for how in ("p50", "p95", "mean", "max", "sum")
    ]
    truth = {}
    for platform, group in groups.items():
        queue = [job["start"] - job["submit"] for job in group]
        ran = [job["end"] - job["start"] for job in group if job["result"] in ("success", "testfailed")]
        for name, values in (("queue_time", queue), ("step_duration", ran)):
            few = len(values) < 5
            middle, high = (None, None) if few else numpy.percentile(values, [50, 95])
            numbers = (middle, high, numpy.mean(values), max(values), sum(values))
            truth |= {(platform, f"{name}:{how}"): one for how, one in zip(HOWS, numbers, strict=True)}
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        engine = open_database(f"sqlite:///{folder}/jobs.db")
        words = {"success": "passed", "testfailed": "failed"}
        moments = [[datetime.fromtimestamp(job[name], UTC) for name in ("submit", "start", "end")] for job in jobs]
        built = [pipeline(number, submit, commit=f"{number}") for number, (submit, _, _) in enumerate(moments)]
        keep_pipelines(engine, "mozilla/central", built, DAY)
        for one, job, (submit, start, end) in zip(built, jobs, moments, strict=True):
            state = words.get(job["result"], "EXPIRED")
            ran = step(job["platform"], start, (end - start).total_seconds(), state)
            keep_steps(engine, "mozilla/central", [ReadSteps(one.uuid, submit, (ran,))])
        span = Span(min(start for _, start, _ in moments), max(start for _, start, _ in moments) + timedelta(seconds=1))
        rows = [("", _rows(engine, Query(tuple(labels), span))[0])]
        rows += [(row.key[0], row) for row in _rows(engine, Query(tuple(labels), span, ("step",)))]
        told = {(name, label): one.number for name, row in rows for label, one in zip(labels, row.values, strict=True)}
        engine.dispose()
    return told, truth


def _rows(engine: Engine, query: Query) -> list[TableRow]:
    table = run(engine, query, now=DAY, zone=BERLIN)
    return list(table.rows) if query.by else [table.totals]
