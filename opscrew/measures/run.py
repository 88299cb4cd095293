"""Answers a query: the database counts (``select``), ``counting`` adds up, ``reach`` says of how much of the whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from opscrew.measures.calendar import WEEKDAYS
from opscrew.measures.counting import Sum, Sums
from opscrew.measures.names import with_workspace
from opscrew.measures.query import TIMES, Asked, Coverage, Query, Row, Table, Value, asked
from opscrew.measures.reach import reach_of
from opscrew.measures.select import count
from opscrew.measures.sources import sources
from opscrew.store.database import reading


def run(engine: Engine, query: Query, *, now: datetime, zone: ZoneInfo) -> Table:
    """The table. Days and hours are those of ``zone``. Raises ``UsageError`` for what cannot be asked."""
    columns = asked(query)
    with reading(engine).connect() as connection:
        query, unknown = with_workspace(connection, query)
        counted = count(connection, query, query.span, columns, zone)
        before = count(connection, query, query.compared, columns, zone) if query.compared else None
        used = {one.measure.source: sources(connection.dialect.name)[one.measure.source] for one in columns}
        coverage = reach_of(connection, query, query.span, used, now=now, zone=zone)
        compared = reach_of(connection, query, query.compared, used, now=now, zone=zone) if query.compared else None
    rows = _ordered(query, columns, _rows(counted, before, columns))
    totals = _without_guesses(_totals(counted, before, columns), coverage, compared)
    cut = rows if query.limit is None else rows[: query.limit]
    return Table(
        query=query,
        columns=columns,
        rows=tuple(cut) if query.by else (),
        totals=totals,
        left_out=len(rows) - len(cut) if query.by else 0,
        coverage=_with_unknown(coverage, unknown),
        compared_coverage=compared,
    )


def _rows(counted: Sums, before: Sums | None, columns: tuple[Asked, ...]) -> list[Row]:
    """A group that is only in one of the two spans is a row too: it came, or went."""
    nothing = [Sum() for _ in columns]
    keys = dict.fromkeys([*counted, *(before or ())])
    return [
        Row(
            key,
            _values(counted.get(key, nothing), columns),
            None if before is None else _values(before.get(key, nothing), columns),
        )
        for key in keys
    ]


def _values(sums: list[Sum], columns: tuple[Asked, ...]) -> tuple[Value, ...]:
    return tuple(
        one.told_as(column.how, reported=column.measure.reported) for one, column in zip(sums, columns, strict=True)
    )


def _totals(counted: Sums, before: Sums | None, columns: tuple[Asked, ...]) -> Row:
    compared = None if before is None else _values(_total(before, columns), columns)
    return Row((), _values(_total(counted, columns), columns), compared)


def _without_guesses(totals: Row, coverage: Coverage, compared: Coverage | None) -> Row:
    """None found where nothing was read is no zero."""

    def known(values: tuple[Value, ...], reach: Coverage) -> tuple[Value, ...]:
        if reach.knows_zero:
            return values
        return tuple(replace(one, number=None) if one.number == 0 else one for one in values)

    before = totals.before if totals.before is None or compared is None else known(totals.before, compared)
    return replace(totals, values=known(totals.values, coverage), before=before)


def _total(counted: Sums, columns: tuple[Asked, ...]) -> list[Sum]:
    totals = [Sum() for _ in columns]
    for sums in counted.values():
        for total, one in zip(totals, sums, strict=True):
            total.add(one)
    return totals


def _ordered(query: Query, columns: tuple[Asked, ...], rows: list[Row]) -> list[Row]:
    """Rows with no number come last, whatever the order; equal ones by their names."""
    rows.sort(key=lambda row: _key(query, row))
    by_time = bool(query.by) and query.by[0] in TIMES
    order = query.order or ("" if by_time or not query.by else f"-{columns[0].label}")
    name, falling = order.removeprefix("-"), order.startswith("-")
    if name in query.by:
        place = query.by.index(name)
        rows.sort(key=lambda row: _sortable(name, row.key[place]), reverse=falling)
    elif name:
        place = [column.label for column in columns].index(name)
        sign = -1 if falling else 1
        numbers = [(row, row.values[place].number) for row in rows]
        numbers.sort(key=lambda pair: (pair[1] is None, sign * (pair[1] or 0)))
        return [row for row, _ in numbers]
    return rows


def _key(query: Query, row: Row) -> tuple[Any, ...]:
    return tuple(_sortable(name, part) for name, part in zip(query.by, row.key, strict=True))


def _sortable(name: str, part: str) -> Any:
    """Days of the week in their order; an hour that comes twice in the order in which it came."""
    if name == "weekday":
        return WEEKDAYS.index(part)
    return datetime.fromisoformat(part).timestamp() if name == "hour" else part


def _with_unknown(coverage: Coverage, unknown: tuple[str, ...]) -> Coverage:
    return replace(coverage, unknown=unknown, is_whole=coverage.is_whole and not unknown) if unknown else coverage
