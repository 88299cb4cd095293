"""A table as plain values for programs: the same shape for a command, a page and a tool."""

from __future__ import annotations

from typing import Any

from opscrew.measures.query import Asked, Coverage, Row, Span, Table, Value


def table_as_json(table: Table) -> dict[str, Any]:
    """``measures`` name the columns, ``rows`` hold their values by those names. Times are aware datetimes."""
    return {
        **_span(table.query.span),
        "group_by": list(table.query.by),
        "measures": [_column(column) for column in table.columns],
        "rows": [_row(table, row) for row in table.rows],
        "left_out": table.left_out,
        "totals": _row(table, table.totals),
        "coverage": _coverage(table.coverage),
        "compared": _compared(table),
    }


def name_of(column: Asked) -> str:
    """``pipeline_duration:p95`` as a key: ``pipeline_duration_p95``."""
    return column.label.replace(":", "_")


def _span(span: Span) -> dict[str, Any]:
    return {"since_at": span.since, "until_at": span.until}


def _column(column: Asked) -> dict[str, Any]:
    measure = column.measure
    return {
        "id": name_of(column),
        "measure": column.name,
        "how": column.how,
        "unit": measure.unit,
        "title": measure.title,
        "definition": measure.definition,
        "derived": measure.derived,
        "good": measure.good,
    }


def _row(table: Table, row: Row) -> dict[str, Any]:
    return {
        "group": dict(zip(table.query.by, row.key, strict=False)),
        "values": _values(table, row.values),
        "before": None if row.before is None else _values(table, row.before),
    }


def _values(table: Table, values: tuple[Value, ...]) -> dict[str, Any]:
    return {
        name_of(column): {"number": value.number, "of": value.of, "part": value.part, "runs": list(value.runs)}
        for column, value in zip(table.columns, values, strict=True)
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "text": coverage.text,
        "is_whole": coverage.is_whole,
        "unknown": list(coverage.unknown),
        "repositories": coverage.repositories,
        "complete": coverage.complete,
        "complete_since_at": coverage.complete_since,
    }


def _compared(table: Table) -> dict[str, Any] | None:
    if table.query.compared is None or table.compared_coverage is None:
        return None
    return {**_span(table.query.compared), "coverage": _coverage(table.compared_coverage)}
