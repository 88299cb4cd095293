"""VictoriaLogs: counts, patterns and a few lines, always within a time and a limit.

https://docs.victoriametrics.com/victorialogs/querying/ and .../logsql/. Thread-safe; failures are ``UpstreamError``.
An answer is never partial: where a storage node is missing the server refuses the whole query.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tools.connection import Address, Connection, OnResponse, ignored
from tools.queries import Query, load_queries, quoted
from tools.victorialogs.fields import UNSET, LogFields, Names, Role, fields_of
from tools.victorialogs.records import Group, Lines, LogLine, Pattern, Tally

SYSTEM = "victorialogs"
PATH = "/select/logsql/query"
QUERIES_FILE = Path(__file__).with_name("queries.yaml")
MOST_LINES = 1_000
LONGEST_MESSAGE = 2_000
"""Characters kept of one message: enough for a stack's first lines, little enough for a thousand of them."""


@cache
def queries() -> Mapping[str, Query]:
    """The shipped queries and filters by name."""
    return load_queries(QUERIES_FILE)


@dataclass(frozen=True)
class Period:
    """From ``start`` up to, not including, ``end``."""

    start: datetime
    end: datetime


class VictoriaLogsClient:
    """Call ``close()`` in the end. ``filter`` is LogsQL without pipes; ``*`` means everything. ``names`` are fields of
    this store by role, beside the usual ones of ``fields.yaml``."""

    def __init__(
        self, address: Address, on_response: OnResponse = ignored, names: Mapping[Role, Names] | None = None
    ) -> None:
        self._names = names or {}
        self._connection = Connection(SYSTEM, address, on_response)
        self._timeout = f"{address.timeout_seconds:g}s"

    def close(self) -> None:
        self._connection.close()

    def fields(self, period: Period) -> LogFields:
        """Which fields of the period's entries hold what."""
        rows = self._rows("field_names", period, filter="*")
        found = fields_of((_text(row.get("name")) for row in rows), self._names)
        return replace(found, is_unset=self.count(UNSET, period) > 0)

    def count(self, filter: str, period: Period) -> int:
        """How many entries match."""
        rows = self._rows("count", period, filter=filter)
        return _hits(self._connection, rows[0]) if rows else 0

    def count_by(self, filter: str, period: Period, fields: Sequence[str], *, limit: int = 20) -> tuple[Group, ...]:
        """How many for each combination of the fields' values, most first."""
        rows = self._rows("count_by", period, filter=filter, fields=_names(fields), limit=_limit(limit))
        return tuple(
            Group({name: _text(row.get(name)) for name in fields}, _hits(self._connection, row)) for row in rows
        )

    def tally(self, filter: str, period: Period, fields: LogFields, failing: str, *, limit: int) -> tuple[Tally, ...]:
        """Lines and failures of each source, those with most failures first."""
        values = {"fields": _names(fields.naming), "failing": _whole(failing)}
        rows = self._rows("tally", period, filter=filter, limit=_limit(limit), **values)
        return tuple(
            Tally(
                {name: _text(row.get(name)) for name in fields.naming},
                _hits(self._connection, row, "total"),
                _hits(self._connection, row),
            )
            for row in rows
        )

    def patterns(
        self, filter: str, period: Period, *, limit: int = 20, where: LogFields | None = None
    ) -> tuple[Pattern, ...]:
        """What is said, numbers left out, most frequent first. ``where`` says which fields hold the text."""
        rows = self._rows("patterns", period, filter=filter, limit=_limit(limit), text=_pipes(where))
        return tuple(
            Pattern(_text(row.get("_msg"))[:LONGEST_MESSAGE], _hits(self._connection, row))
            for row in rows
            if _text(row.get("_msg"))
        )

    def lines(
        self,
        filter: str,
        period: Period,
        *,
        fields: Sequence[str] = (),
        limit: int = 20,
        order: Literal["latest_lines", "first_lines", "lines"] = "latest_lines",
        where: LogFields | None = None,
    ) -> Lines:
        """Some entries with their time, message and the named fields; the latest or the first ones, or any."""
        named = _names(("_time", "_msg", *fields))
        rows = self._rows(order, period, filter=filter, fields=named, limit=_limit(limit), text=_pipes(where))
        return Lines(tuple(_line(row, fields) for row in rows), cut=len(rows) >= limit)

    def _rows(self, name: str, period: Period, **values: str) -> list[dict[str, Any]]:
        form = {
            "query": queries()[name].filled(**{**values, "filter": _whole(values["filter"])}),
            "start": period.start.isoformat(),
            # The server includes its end, with which an entry between two adjacent hours would count twice.
            "end": (period.end - timedelta(microseconds=1)).isoformat(),
            "timeout": self._timeout,
        }
        content = self._connection.read("POST", PATH, form=form)
        rows = [self._connection.parsed(line, PATH) for line in content.split(b"\n") if line.strip()]
        if not all(isinstance(row, dict) for row in rows):
            raise self._connection.odd(PATH, "an entry of the answer is no object")
        return rows


def _whole(text: str) -> str:
    """The filter as one operand: without brackets an ``or`` in it would reach beyond it."""
    if _has_pipe(text):
        raise ValueError("a filter must not hold a pipe")
    return f"({text})"


def _has_pipe(text: str) -> bool:
    """Whether a ``|`` stands outside of quotes."""
    quote, escaped = "", False
    for sign in text:
        if escaped:
            escaped = False
        elif quote:
            escaped = sign == "\\" and quote != "`"
            quote = "" if sign == quote else quote
        elif sign in "\"'`":
            quote = sign
        elif sign == "|":
            return True
    return False


def _names(fields: Sequence[str]) -> str:
    return ", ".join(quoted(field) for field in fields)


def _pipes(where: LogFields | None) -> str:
    return where.as_text() if where else ""


def _limit(limit: int) -> str:
    if not 1 <= limit <= MOST_LINES:
        raise ValueError(f"a limit must lie between 1 and {MOST_LINES}")
    return str(limit)


def _hits(connection: Connection, row: Mapping[str, Any], name: str = "hits") -> int:
    try:
        return int(row[name])
    except (KeyError, TypeError, ValueError) as problem:
        raise connection.odd(PATH, "an entry of the answer has no count") from problem


def _line(row: Mapping[str, Any], fields: Sequence[str]) -> LogLine:
    try:
        at = datetime.fromisoformat(_text(row.get("_time")))
    except ValueError:
        at = None
    kept = {name: _text(row.get(name))[:LONGEST_MESSAGE] for name in fields if row.get(name)}
    return LogLine(at, _text(row.get("_msg"))[:LONGEST_MESSAGE], kept)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)
