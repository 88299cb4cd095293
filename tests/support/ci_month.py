"""A month of builds, made by dice of a seed: re-runs over midnight, both kinds of days on which clocks change, fields
that are missing. As plain values, from which a test works out the truth by itself, and as Bitbucket's records."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Engine

from opscrew.ci_history.coverage import FIRST, Coverage
from opscrew.ci_history.keeping import ReadSteps, keep_pipelines, keep_steps
from tests.support.ci_runs import pipeline, step

FAILING = {"shop": 0.1, "web": 0.35, "payments": 0.2, "search": 0.02}
STEPS = ("Build", "Unit tests", "Browser tests", "Deploy")


@dataclass
class Made:
    """One pipeline. ``steps`` are (name, start, seconds, state, queue seconds or None)."""

    repository: str
    number: int
    created: datetime
    state: str
    branch: str
    commit: str
    trigger: str
    author: str
    seconds: int | None
    ended: datetime | None
    build: tuple[Any, ...]
    steps: list[tuple[str, datetime, int, str, float | None]] = field(default_factory=list)


def make_month(since: datetime, days: int, seed: int, *, a_day: int = 60) -> list[Made]:
    """About ``a_day`` builds a day, in the order of their creation."""
    dice = random.Random(seed)
    numbers = dict.fromkeys(FAILING, 0)
    wanted = [(since + timedelta(seconds=dice.randrange(days * 86_400)), None) for _ in range(days * a_day)]
    # Pushed in the last minutes before midnight, so that their re-runs begin the day after.
    wanted += [(since + timedelta(days=day, minutes=-dice.randrange(1, 90)), None) for day in range(1, days)]
    made: list[Made] = []
    for created, _ in sorted(wanted):
        slug = dice.choice(list(FAILING))
        branch = dice.choice(["main", "main", f"work/{dice.randrange(9)}"])
        trigger = "SCHEDULE" if dice.random() < 0.05 else "PUSH"
        commit = f"nightly-{slug}" if trigger == "SCHEDULE" else f"{len(made):08x}"
        build = (slug, branch, commit, created)
        for attempt in range(1 + dice.randrange(3)):
            state = "failed" if dice.random() < FAILING[slug] else dice.choice(["passed"] * 30 + ["stopped", "EXPIRED"])
            one = _one(dice, slug, created, state, branch, commit, trigger if not attempt else "MANUAL", build)
            made.append(one)
            if state == "passed" or one.ended is None:
                break
            created = one.ended + timedelta(minutes=dice.choice([1, 5, 200]))
    # A re-run of a schedule's pipeline belongs to the latest one before it, so those of one commit must not overlap.
    last: dict[tuple[str, str, str], tuple[Any, ...]] = {}
    for one in sorted(made, key=lambda one: one.created):
        numbers[one.repository] += 1
        one.number = numbers[one.repository]
        key = (one.repository, one.branch, one.commit)
        one.build = last.setdefault(key, one.build) if one.trigger != "SCHEDULE" else one.build
        last[key] = one.build
    return sorted(made, key=lambda one: one.created)


def _one(
    dice: random.Random, slug: str, created: datetime, state: str, branch: str, commit: str, trigger: str, build: Any
) -> Made:
    if dice.random() < 0.01:
        return Made(slug, 0, created, "running", branch, commit, trigger, "", None, None, build)
    one = Made(slug, 0, created, state, branch, commit, trigger, dice.choice(["Ada", "Bo", ""]), 0, None, build)
    before, names = created, STEPS[: dice.randrange(1, 5)]
    for place, name in enumerate(names):
        queue, seconds = float(dice.randrange(2, 240)), dice.randrange(5, 900)
        started = before + timedelta(seconds=queue)
        last = place == len(names) - 1
        one.steps.append(
            (name, started, seconds, state if last and state in ("failed", "stopped") else "passed", queue)
        )
        before = started + timedelta(seconds=seconds)
    one.ended, one.seconds = before, sum(seconds for _, _, seconds, _, _ in one.steps)
    if dice.random() < 0.03:
        one.seconds = None  # Bitbucket left it out; start and end are still there
    return one


def keep_month(engine: Engine, made: list[Made], now: datetime, *, steps: bool = True) -> None:
    """Stores it as read to the last one, in pages as the job does."""
    for slug in FAILING:
        mine = [one for one in made if one.repository == slug]
        records = [_record(one) for one in mine]
        for start in reversed(range(0, len(records), 97)):
            keep_pipelines(engine, f"acme/{slug}", records[start : start + 97], now)
        keep_pipelines(engine, f"acme/{slug}", (), now, Coverage(f"acme/{slug}", FIRST, now, True))
        read = [
            ReadSteps(
                record.uuid, one.created, tuple(step(name, at, sec, word) for name, at, sec, word, _ in one.steps)
            )
            for one, record in zip(mine, records, strict=True)
            if one.ended is not None
        ]
        if steps:
            keep_steps(engine, f"acme/{slug}", read)


def _record(one: Made) -> Any:
    more: dict[str, Any] = {"creator": {"display_name": one.author} if one.author else None}
    if one.ended is not None:
        more |= {"completed_on": one.ended.isoformat(), "duration_in_seconds": one.seconds}
    named = {"commit": one.commit, "branch": one.branch, "trigger": one.trigger}
    return pipeline(one.number, one.created, one.state, **named, **more)


def utc(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)
