"""A metrics store over a real socket that holds series and answers the questions about volumes from them.

Only what those need of MetricsQL: a choice by names, the last value and its time, the highest and the lowest of a
window, and labels that a scraper moved aside. Everything else is tried with the real store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from tests.support.http_answers import Answers, Handler, Request, value
from tools.victoriametrics.client import QUERY, QUERY_RANGE

CLAIM = ("namespace", "persistentvolumeclaim")
SHARE = 900
"""Seconds that a present value reaches back (RECENT of crews/runtime/volume_figures.py)."""

Points = Sequence[tuple[datetime, float]]
Key = tuple[str, ...]


@dataclass
class SeriesStore:
    """``series`` are (labels with __name__, points)."""

    series: Sequence[tuple[dict[str, str], Points]] = field(default_factory=list)

    def serve_on(self, answers: Answers) -> None:
        answers.by_path |= {QUERY: self._instant, QUERY_RANGE: self._range}

    def _instant(self, handler: Handler, request: Request) -> None:
        at, query = float(request.values["time"]), request.values["query"]
        names = re.search(r'__name__=~"([^"]+)"', query)
        found = []
        for labels, points in self.series if names else ():
            seen = [(one.timestamp(), number) for one, number in points if at - SHARE < one.timestamp() <= at]
            if seen and re.fullmatch(names[1], labels["__name__"]) and _fits(labels, query):
                last = seen[-1][0 if "tlast_over_time" in query else 1]
                found.append({"metric": _own(labels), "value": [at, str(last)]})
        value({"status": "success", "data": {"resultType": "vector", "result": found}})(handler, request)

    def _range(self, handler: Handler, request: Request) -> None:
        start, end = float(request.values["start"]), float(request.values["end"])
        step = float(request.values["step"].rstrip("s"))
        times = [start + step * index for index in range(int((end - start) / step) + 1)]
        curves: dict[Key, list[list[float | str]]] = {}
        for at in times:
            for key, number in self._peaks(request.values["query"], at - step, at).items():
                curves.setdefault(key, []).append([at, str(number)])
        found = [{"metric": dict(zip(CLAIM, key, strict=True)), "values": curve} for key, curve in curves.items()]
        value({"status": "success", "data": {"resultType": "matrix", "result": found}})(handler, request)

    def _peaks(self, query: str, begin: float, end: float) -> dict[Key, float]:
        """Of each claim: the highest use, or the capacity without the least that was left of it."""

        def of(name: str, chosen: Callable[[Iterable[float]], float]) -> dict[Key, float]:
            values: dict[Key, list[float]] = {}
            for labels, points in self.series:
                seen = [number for one, number in points if begin < one.timestamp() <= end and _fits(labels, query)]
                if labels["__name__"] == f"kubelet_volume_stats_{name}" and seen:
                    values.setdefault(tuple(_own(labels)[one] for one in CLAIM), []).extend(seen)
            return {key: chosen(numbers) for key, numbers in values.items()}

        if "used_bytes" in query:
            used = {key: number for key, number in of("used_bytes", max).items() if number > 0}
            left = of("available_bytes", min)
            return {key: size - left[key] for key, size in of("capacity_bytes", min).items() if key in left} | used
        if "max_over_time(kubelet_volume_stats_inodes_free" in query:
            used = of("inodes_used", min)
            room = {key: total - used[key] for key, total in of("inodes", min).items() if key in used}
            return room | of("inodes_free", max)
        return of("inodes_used", max)


def _fits(labels: dict[str, str], query: str) -> bool:
    """By the conditions of a cluster, which stand after the one that a namespace is there."""
    conditions = re.search(r'namespace!=""((?:,\w+="[^"]*")*)', query)
    wanted = re.findall(r'(\w+)="([^"]*)"', conditions[1]) if conditions else ()
    return all(labels.get(name, "") == one for name, one in wanted)


def _own(labels: dict[str, str]) -> dict[str, str]:
    moved = {name.removeprefix("exported_"): one for name, one in labels.items() if name.startswith("exported_")}
    return labels | moved
