"""Prints a table of measures: the numbers, then of how much of the whole they tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cli.output import console, print_json

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from sqlalchemy import Engine

    from opscrew.measures.query import Query, Row, Span, Table

MOST_ROWS = 50
"""Of a table on a screen, where no limit is given."""


def answer(engine: Engine, query: Query, now: datetime, zone: ZoneInfo, *, as_json: bool) -> None:
    """Runs the query and prints it. Raises ``NotFoundError`` where every repository that was named is unknown."""
    from opscrew.errors import NotFoundError
    from opscrew.measures.as_json import table_as_json
    from opscrew.measures.run import run

    table = run(engine, query, now=now, zone=zone)
    unknown = table.coverage.unknown
    if unknown and len(unknown) == len(query.where.get("repository", ())):
        sentence, _, hint = unknown[0].partition(". ")
        raise NotFoundError(
            sentence[0].lower() + sentence[1:].rstrip("."), hint or "`crew ci stats --by repo` names all."
        )
    if as_json:
        print_json(table_as_json(table))
        return
    out = console()
    out.print(_heading(query.span, query.compared, zone), markup=False)
    if query.by:
        _print_rows(table)
    else:
        _print_totals(table)
    _print_reach(table)


def _print_totals(table: Table) -> None:
    """One line for each number."""
    from opscrew.measures.wording import title_of, told

    width = max(len(title_of(column)) for column in table.columns)
    for place, column in enumerate(table.columns):
        value = table.totals.values[place]
        text = told(value, column.measure.unit)
        if value.part is not None and value.of:
            text += f" ({value.part:,} of {value.of:,})"
        if table.totals.before is not None:
            text += f"   before: {told(table.totals.before[place], column.measure.unit)}"
        console().print(f"  {title_of(column):{width}}  {text}", markup=False)


def _print_rows(table: Table) -> None:
    from rich.table import Table as Grid
    from rich.text import Text

    from opscrew.measures.wording import title_of

    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for name in table.query.by:
        grid.add_column(Text(name.replace("_", " ")), overflow="fold")
    shown = table.rows[:MOST_ROWS] if table.query.limit is None else table.rows
    told = [_cells(table, row) for row in (*shown, table.totals)]
    for column in table.columns:
        grid.add_column(Text(title_of(column)), justify="right", overflow="fold")
    for row, cells in zip(shown, told, strict=False):
        grid.add_row(*(Text(part or "(none)") for part in row.key), *map(Text, cells))
    if len(table.rows) > 1 or table.left_out:
        blank = [Text("")] * (len(table.query.by) - 1)
        grid.add_row(
            Text("all", style="bold"), *blank, *(Text(text, style="bold") for text in _cells(table, table.totals))
        )
    out = console()
    if not table.rows:
        out.print("  nothing was counted", markup=False)
        return
    out.print(grid)
    left_out = table.left_out + len(table.rows) - len(shown)
    if left_out:
        out.print(f"{left_out} more rows; `--limit N` shows more", markup=False)


def _cells(table: Table, row: Row) -> list[str]:
    """Numbers without blanks, so that only headings are broken into lines: 11m57s, 83%."""
    from opscrew.measures.wording import compact, told

    cells = []
    for place, column in enumerate(table.columns):
        text = compact(told(row.values[place], column.measure.unit))
        if row.before is not None:
            text += f" ({compact(told(row.before[place], column.measure.unit))})"
        cells.append(text)
    return cells


def _print_reach(table: Table) -> None:
    out = console()
    for sentence in table.coverage.unknown:
        out.print(sentence, markup=False)
    out.print(f"Counted: {table.coverage.text}.", markup=False)
    if table.compared_coverage is not None and table.compared_coverage.text != table.coverage.text:
        out.print(f"Before: {table.compared_coverage.text}.", markup=False)


def _heading(span: Span, compared: Span | None, zone: ZoneInfo) -> str:
    words = _range(span, zone)
    return f"{words} (before: {_range(compared, zone)})" if compared else words


def _range(span: Span, zone: ZoneInfo) -> str:
    begin, end = span.since.astimezone(zone), span.until.astimezone(zone)
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"
