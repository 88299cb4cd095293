"""Which pipelines are attempts at the same build, and how long a target stayed broken. Pure.

Pipelines of one repository with the same target, commit, selector and variables are attempts at one build, which counts
once. A schedule that fires again on the same commit is no second attempt but a build of its own, and what people start
after it belongs to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.ci_history.facts import DECIDED

SCHEDULED = "schedule"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What of a stored pipeline decides about its place among the others. ``id`` is the row's."""

    id: int
    number: int
    trigger: str
    state: str
    created_at: datetime
    ended_at: datetime | None
    failed_in_place: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Its place in the build. ``failed_before`` and ``passed_before``: an earlier attempt did."""

    build_at: datetime
    attempt: int
    is_last: bool
    failed_before: bool
    passed_before: bool


def places(attempts: Iterable[Attempt]) -> dict[int, Place]:
    """By row, for all pipelines of one target, commit and selector."""
    found = {}
    for build in _builds(sorted(attempts, key=lambda one: (one.created_at, one.number))):
        failed = passed = False
        for count, one in enumerate(build, 1):
            failed = failed or one.failed_in_place
            found[one.id] = Place(build[0].created_at, count, one is build[-1], failed, passed)
            failed, passed = failed or one.state == "failed", passed or one.state == "passed"
    return found


def _builds(attempts: Sequence[Attempt]) -> Iterator[list[Attempt]]:
    build: list[Attempt] = []
    for one in attempts:
        if build and one.trigger == SCHEDULED:
            yield build
            build = []
        build.append(one)
    if build:
        yield build


def times_to_green(attempts: Iterable[Attempt]) -> dict[int, float | None]:
    """By row, for all pipelines of one target: seconds from the end of the first failure to the end of the pass that
    followed, on that pass; None on every other."""
    found: dict[int, float | None] = {}
    broken: datetime | None = None
    ended = [(one.ended_at, one.number, one) for one in attempts if one.ended_at and one.state in DECIDED]
    for end, _, one in sorted(ended, key=lambda part: part[:2]):
        found[one.id] = None
        if one.state == "failed":
            broken = broken or end
        elif broken is not None:
            found[one.id], broken = (end - broken).total_seconds(), None
    return found
