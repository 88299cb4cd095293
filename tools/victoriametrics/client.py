"""VictoriaMetrics: MetricsQL at one time and over a range.

https://docs.victoriametrics.com/victoriametrics/keyconcepts/#query-data. Thread-safe; failures are ``UpstreamError``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from tools.connection import Address, Connection, OnResponse, ignored
from tools.queries import Query, load_queries, matchers, quoted, shared_pieces
from tools.victoriametrics.records import Instant, Range, Sample, Series

SYSTEM = "victoriametrics"
QUERY, QUERY_RANGE = "/api/v1/query", "/api/v1/query_range"
QUERIES_FILE = Path(__file__).with_name("queries.yaml")


@cache
def queries() -> Mapping[str, Query]:
    """The shipped queries by name."""
    return load_queries(QUERIES_FILE)


@cache
def cluster_labels() -> tuple[str, ...]:
    """Labels by which clusters are told apart in one store; the series of most answers carry those that they have."""
    return tuple(name.strip() for name in shared_pieces(QUERIES_FILE)["clusters"].split(","))


@dataclass(frozen=True)
class Curve:
    """How a query is looked at for a curve: the time between two points, how often it is looked at between them, and
    how far back each look sees."""

    step: timedelta = timedelta(minutes=1)
    every: timedelta = timedelta(minutes=1)
    back: timedelta = timedelta(minutes=5)


def named_query(
    name: str,
    window: str,
    labels: Mapping[str, str] | None = None,
    *,
    curve: Curve = Curve(),
    namespaces: Iterable[str] = (),
    names: Iterable[str] = (),
) -> str:
    """A shipped query for one cluster. ``window`` is a MetricsQL duration such as ``15m``; ``namespaces`` and
    ``names`` (of series) are those that a query may be limited to."""
    conditions = matchers(labels or {})
    return queries()[name].filled(
        window=window,
        matchers=f",{conditions}" if conditions else "",
        step=duration(curve.step),
        every=duration(curve.every),
        back=duration(curve.back),
        namespaces=quoted("|".join(namespaces) or ".+"),
        names=quoted("|".join(names) or ".+"),
    )


def duration(length: timedelta) -> str:
    """A length as MetricsQL writes it."""
    return f"{int(length.total_seconds())}s"


class VictoriaMetricsClient:
    """Call ``close()`` in the end. The server is told our time limit, so that it stops too."""

    def __init__(self, address: Address, on_response: OnResponse = ignored) -> None:
        self._connection = Connection(SYSTEM, address, on_response)
        self._timeout = f"{address.timeout_seconds:g}s"

    def close(self) -> None:
        self._connection.close()

    def instant(self, query: str, at: datetime | None = None) -> Instant:
        """The value of each series at a time, by default now. A plain number is one sample without labels."""
        form = {"query": query, "timeout": self._timeout}
        if at is not None:
            form["time"] = f"{at.timestamp():.3f}"
        data, partial = self._ask(QUERY, form)
        result = data.get("result")
        if data.get("resultType") == "scalar":
            result = [{"metric": {}, "value": result}]
        with _wrong_shapes_named(self._connection, QUERY):
            return Instant(tuple(_sample(entry) for entry in _entries(result)), partial)

    def range(self, query: str, start: datetime, end: datetime, step: timedelta) -> Range:
        """The values of each series from ``start`` to ``end``, both included, oldest first."""
        form = {
            "query": query,
            "start": f"{start.timestamp():.3f}",
            "end": f"{end.timestamp():.3f}",
            "step": f"{step.total_seconds():g}s",
            "timeout": self._timeout,
            # Or else the server moves both ends to multiples of the step, and the present day would be missing.
            "nocache": "1",
        }
        data, partial = self._ask(QUERY_RANGE, form)
        with _wrong_shapes_named(self._connection, QUERY_RANGE):
            return Range(tuple(_series(entry) for entry in _entries(data.get("result"))), partial)

    def _ask(self, path: str, form: Mapping[str, str]) -> tuple[Mapping[str, Any], bool]:
        answer = self._connection.post_form(path, form)
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict) or answer.get("status") != "success":
            raise self._connection.odd(path, "the answer holds no data")
        return data, answer.get("isPartial") is True


@contextmanager
def _wrong_shapes_named(connection: Connection, path: str) -> Iterator[None]:
    """Turns whatever a wrongly shaped entry raises into one error that names the system."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError) as problem:
        raise connection.odd(path, "an entry of the answer has another shape") from problem


def _entries(result: object) -> Iterable[Mapping[str, Any]]:
    if not isinstance(result, list):
        raise TypeError("no list")
    return result


def _sample(entry: Mapping[str, Any]) -> Sample:
    at, value = entry["value"]
    return Sample(_labels(entry), float(value), datetime.fromtimestamp(float(at), UTC))


def _series(entry: Mapping[str, Any]) -> Series:
    return Series(_labels(entry), tuple((float(at), float(value)) for at, value in entry["values"]))


def _labels(entry: Mapping[str, Any]) -> Mapping[str, str]:
    return {str(name): str(value) for name, value in entry["metric"].items()}
