"""A metrics store over a real socket that answers our own queries from a table: for crews, where faults matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.support.http_answers import Answers, Handler, Request, value
from tools.victoriametrics.client import QUERY, QUERY_RANGE

Labels = Mapping[str, str]
VOLUMES = '__name__=~"kubelet_volume_stats_'


@dataclass
class MetricsTable:
    """By metric name: present values, and pasts as (labels, values of the steps up to now)."""

    now: Mapping[str, Sequence[tuple[Labels, float]]] = field(default_factory=dict)
    past: Mapping[str, Sequence[tuple[Labels, Sequence[float]]]] = field(default_factory=dict)
    partial: bool = False

    def serve_on(self, answers: Answers) -> None:
        answers.by_path |= {QUERY: self._instant, QUERY_RANGE: self._range}

    def _instant(self, handler: Handler, request: Request) -> None:
        at = float(request.values.get("time", 0))
        if VOLUMES in request.values["query"]:
            rows = [({**labels, "__name__": name}, one) for name in self.now for labels, one in self.now[name]]
            times = "tlast_over_time" in request.values["query"]
            found = [{"metric": labels, "value": [at, str(at if times else one)]} for labels, one in rows]
            self._send(handler, request, found)
            return
        rows = self.now.get(_metric(request, self.now), ())
        found = [{"metric": dict(labels), "value": [at, str(one)]} for labels, one in rows]
        self._send(handler, request, found)

    def _range(self, handler: Handler, request: Request) -> None:
        end, step = float(request.values["end"]), float(request.values["step"].rstrip("s"))
        found = []
        for labels, values in self.past.get(_metric(request, self.past), ()) if step == 86400 else ():
            count = len(values)
            points = [[end - (count - 1 - index) * step, str(one)] for index, one in enumerate(values)]
            found.append({"metric": dict(labels), "values": points})
        self._send(handler, request, found)

    def _send(self, handler: Handler, request: Request, found: object) -> None:
        answer = {"status": "success", "isPartial": self.partial, "data": {"resultType": "vector", "result": found}}
        value(answer)(handler, request)


def _metric(request: Request, names: Mapping[str, object]) -> str:
    """The longest known name that occurs in the query."""
    found = [name for name in names if name + "{" in request.values["query"]]
    return max(found, key=len, default="")
