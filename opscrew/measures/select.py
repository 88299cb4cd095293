"""Lets the database count: one statement for all columns of a source, and one more for each measure with percentiles.

A percentile needs every value. They come as (value, how often) within each group, which is far fewer rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, not_, null, select
from sqlalchemy import true as always

from opscrew.measures.calendar import grouped_by, label_of, offsets
from opscrew.measures.catalogue import Condition, Measure
from opscrew.measures.counting import QUANTILES, Sum, Sums
from opscrew.measures.query import TIMES, Asked, Query, Span
from opscrew.measures.sources import Source, sources

Found = Iterable[tuple[tuple[Any, ...], str, Sum]]
"""The group, the measure's name, and what it came to there."""


def count(connection: Connection, query: Query, span: Span, columns: Sequence[Asked], zone: ZoneInfo) -> Sums:
    """What each column comes to in each group of the span."""
    changes = offsets(span.since, span.until, zone)
    found: Sums = {}
    for name, source in sources(connection.dialect.name).items():
        measures = {one.name: one.measure for one in columns if one.measure.source == name}
        if not measures:
            continue
        counter = _Counter(connection, source, query, span, changes)
        spread = {one.name for one in columns if one.how in QUANTILES}
        for key, measure, counted in counter.count(measures, spread):
            told = tuple(
                label_of(name, part, zone) if name in TIMES else str(part)
                for name, part in zip(query.by, key, strict=True)
            )
            sums = found.setdefault(told, [Sum() for _ in columns])
            for place, column in enumerate(columns):
                if column.name == measure:
                    sums[place].add(counted)
    return found


class _Counter:
    """Counts measures of one source over one span."""

    def __init__(
        self, connection: Connection, source: Source, query: Query, span: Span, changes: list[tuple[int, int]]
    ) -> None:
        self._connection, self._source, self._query = connection, source, query
        self._groups = [
            grouped_by(name, source.moment, changes) if name in TIMES else source.columns[name] for name in query.by
        ]
        filters = [source.columns[name].in_(values) for name, values in query.where.items()]
        self._kept = and_(source.within(span.since, span.until), *filters)

    def count(self, measures: Mapping[str, Measure], spread: set[str]) -> Found:
        """``spread`` names those whose every value is wanted."""
        plain = {name: one for name, one in measures.items() if name not in spread}
        if plain:
            yield from self._count_together(plain)
        for name, measure in measures.items():
            if name in spread:
                yield from self._count_values(name, measure)

    def _count_together(self, measures: Mapping[str, Measure]) -> Found:
        """Rows, part, sum and highest of each, in one statement."""
        numbers = [number for one in measures.values() for number in self._numbers(one)]
        for key, told in self._rows(measures.values(), numbers, self._groups, self._any_of(measures.values())):
            for place, name in enumerate(measures):
                rows, part, total, highest = told[4 * place : 4 * place + 4]
                if rows:
                    yield key, name, Sum(int(rows), int(part or 0), float(total or 0), highest)

    def _numbers(self, measure: Measure) -> list[ColumnElement[Any]]:
        counts, value = self._counts(measure), self._value(measure)
        part = func.sum(_one_if(and_(counts, self._where(measure.where)))) if measure.of else null()
        chosen = None if value is None else case((counts, value))
        spread = [null(), null()] if chosen is None else [func.sum(chosen), func.max(chosen)]
        return [func.sum(_one_if(counts)), part, *spread]

    def _count_values(self, name: str, measure: Measure) -> Found:
        value = self._value(measure)
        assert value is not None, "the catalogue allows percentiles of values alone"
        kept = self._counts(measure)
        for key, told in self._rows([measure], [func.count()], [*self._groups, value], kept):
            one, often = float(key[-1]), int(told[0])
            yield key[:-1], name, Sum(often, 0, one * often, one, Counter({one: often}))

    def _rows(
        self,
        measures: Iterable[Measure],
        numbers: Sequence[ColumnElement[Any]],
        groups: Sequence[ColumnElement[Any]],
        kept: ColumnElement[bool],
    ) -> Iterable[tuple[tuple[Any, ...], Sequence[Any]]]:
        names = {name for one in measures for name in (*one.where, *one.of, one.value)}
        rows = self._source.rows_for(names | {*self._query.by, *self._query.where})
        statement = select(*groups, *numbers).select_from(rows).where(self._kept, kept).group_by(*groups)
        for row in self._connection.execute(statement):
            yield tuple(row[: len(groups)]), row[len(groups) :]

    def _any_of(self, measures: Iterable[Measure]) -> ColumnElement[bool]:
        """Where there is one measure, only its rows are read: an index may hold them."""
        conditions = [self._counts(one) for one in measures]
        return conditions[0] if len(conditions) == 1 else always()

    def _counts(self, measure: Measure) -> ColumnElement[bool]:
        """The rows behind the number: of a share, those that are the whole."""
        value = self._value(measure)
        known = always() if value is None else value.is_not(None)
        return and_(self._where(measure.of or measure.where), known)

    def _value(self, measure: Measure) -> ColumnElement[Any] | None:
        return self._source.columns[measure.value] if measure.value else None

    def _where(self, conditions: Mapping[str, Condition]) -> ColumnElement[bool]:
        return and_(always(), *(_condition(self._source.columns[name], one) for name, one in conditions.items()))


def _one_if(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return case((condition, literal(1)), else_=literal(0))


def _condition(column: ColumnElement[Any], condition: Condition) -> ColumnElement[bool]:
    if condition == "known":
        return column.is_not(None)
    if isinstance(condition, bool):
        return column if condition else not_(column)
    return column.in_(condition)
