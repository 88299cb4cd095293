"""What is asked for, and what comes back: plain values that code, a page and a program read alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from opscrew.errors import UsageError
from opscrew.measures.catalogue import How, Measure, measure_named, near

FEW = 5
"""With fewer values than this a percentile says nothing: the values themselves are told instead."""

TIMES = ("day", "week", "weekday", "hour", "hour_of_day")
"""Dimensions that are worked out from the time, in the zone of the settings."""


@dataclass(frozen=True)
class Span:
    """From ``since`` on, before ``until``. Both carry their zone."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a span needs times with a zone")
        if self.since >= self.until:
            raise UsageError("the time asked for is empty", "It must end after it begins.")


@dataclass(frozen=True)
class Query:
    """``measures`` are names, or a name and how it is added up: ``runs``, ``pipeline_duration:p95``.

    ``where`` keeps rows whose dimension has one of the values; a repository may go without its workspace. ``order`` is
    one of the measures or dimensions, with ``-`` in front for the largest first; "" means times in their order and else
    the largest of the first measure first. ``limit`` cuts the rows, never the totals. A group in which none of the
    measures counts anything has no row.
    """

    measures: tuple[str, ...]
    span: Span
    by: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared: Span | None = None
    order: str = ""
    limit: int | None = None


@dataclass(frozen=True)
class Asked:
    """One column of the answer. ``label`` is as it was asked for."""

    label: str
    name: str
    measure: Measure
    how: How


@dataclass(frozen=True)
class Value:
    """``number`` is in the measure's unit, None where there is nothing to tell it from, or too little: then ``runs``
    holds the few values. ``of`` counts the rows behind it; of a share, ``part`` of them."""

    number: float | None
    of: int = 0
    part: int | None = None
    runs: tuple[float, ...] = ()


@dataclass(frozen=True)
class Row:
    """``key`` has a value for each dimension. ``before`` is the same of the compared span, None without one."""

    key: tuple[str, ...]
    values: tuple[Value, ...]
    before: tuple[Value, ...] | None = None


@dataclass(frozen=True)
class Coverage:
    """How much of the whole was counted, in words and as yes or no. ``unknown`` are names that nothing is known of.

    ``knows_zero`` is false where no part of it was read for the whole time: then a count of zero says nothing.
    """

    text: str
    is_whole: bool
    unknown: tuple[str, ...] = ()
    repositories: int = 0
    complete: int = 0
    complete_since: datetime | None = None
    knows_zero: bool = True


@dataclass(frozen=True)
class Table:
    """``rows`` may be cut: ``left_out`` says how many are missing. ``totals`` are of everything."""

    query: Query
    columns: tuple[Asked, ...]
    rows: tuple[Row, ...]
    totals: Row
    left_out: int
    coverage: Coverage
    compared_coverage: Coverage | None = None


def asked(query: Query) -> tuple[Asked, ...]:
    """The query's columns. Raises ``UsageError`` for what cannot be asked, with what could be."""
    if not query.measures:
        raise UsageError("no measure is asked for", "`crew measures list` shows all.")
    columns = tuple(_column(label) for label in query.measures)
    for column in columns:
        for name in (*query.by, *query.where):
            if name not in column.measure.dimensions:
                raise UsageError(
                    f"{column.name} cannot be asked by {name}",
                    near(name, column.measure.dimensions) or f"It knows: {', '.join(column.measure.dimensions)}.",
                )
        _check_times(query)
    _check_order(query)
    return columns


def _column(label: str) -> Asked:
    name, _, how = label.partition(":")
    measure = measure_named(name)
    chosen = next((one for one in measure.how if one == how), None) if how else measure.how[0]
    if chosen is None:
        raise UsageError(f"{name} cannot be told as {how!r}", f"It can be: {', '.join(measure.how)}.")
    return Asked(label, name, measure, chosen)


def _check_times(query: Query) -> None:
    filtered = [name for name in query.where if name in TIMES]
    if filtered:
        raise UsageError(f"a time is chosen by its begin and end, not by {filtered[0]}", "Give the time range.")
    grouped = [name for name in query.by if name in ("day", "week", "hour")]
    if query.compared is not None and grouped:
        raise UsageError(f"rows by {grouped[0]} cannot be compared", "Two spans share no day: group by something else.")


def _check_order(query: Query) -> None:
    name = query.order.removeprefix("-")
    if name and name not in (*query.measures, *query.by):
        raise UsageError(f"cannot order by {name!r}", f"Rows have: {', '.join((*query.by, *query.measures))}.")
    if query.limit is not None and query.limit < 1:
        raise UsageError("a limit is at least 1")
