"""Which stores are asked for figures, and with which labels: one place for each cluster whose series can be told apart.

Clusters that share one store are asked one by one, as their objects may have the same names, and always with their
``metrics_labels``. Where none of them has any, and for machines and services outside of any cluster, the common store
is asked once; series of several clusters then carry their labels into the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crews.cluster_metrics import shares_its_store
from crews.collectors.collector import Request
from crews.systems import address_of
from opscrew.model.coverage import Gap
from opscrew.settings import KubernetesSettings
from tools.victoriametrics.client import VictoriaMetricsClient

MOST_PLACES = 12
"""Clusters asked for one question; of more, the question should name one."""


@dataclass(frozen=True)
class Place:
    """``cluster`` is empty where the answer need not say which it is. ``page`` is the store's address."""

    cluster: str
    labels: Mapping[str, str]
    client: VictoriaMetricsClient
    page: str


def places(request: Request) -> list[Place]:
    """Where to ask. What is left out is in ``unasked``."""
    parts = meant(request)
    if len(request.context.settings.kubernetes) > 1:
        known = [part for part in parts if _is_known(request, part)]
        return [_place(request, part, part.name) for part in known[:MOST_PLACES]] or [_place(request)]
    return [_place(request, parts[0]) if parts else _place(request)]


def unasked(request: Request) -> Iterator[Gap]:
    """Clusters that are not asked, and why."""
    parts = meant(request)
    if len(request.context.settings.kubernetes) < 2:
        return
    unknown = tuple(part.name for part in parts if not _is_known(request, part))
    if unknown:
        yield Gap(
            "clusters", "they have no metrics_labels, so nobody knows which series are theirs", unknown, len(parts)
        )
    left = tuple([part.name for part in parts if _is_known(request, part)][MOST_PLACES:])
    if left:
        yield Gap("clusters", f"one question asks {MOST_PLACES}; name the one that is meant", left, len(parts))


def meant(request: Request) -> Sequence[KubernetesSettings]:
    """The clusters that the question names, else all."""
    names = {one.name for one in request.understood.subjects if one.kind == "cluster"}
    parts = request.context.settings.kubernetes
    return [part for part in parts if part.name in names] or parts


def in_seconds(length: timedelta) -> str:
    """A length as MetricsQL writes it."""
    return f"{int(length.total_seconds())}s"


def curve_windows(step: timedelta) -> tuple[timedelta, timedelta]:
    """For a curve with such steps: over how much of the past each value looks, and in which steps it does. A rate needs
    two scrapes, which are seldom further apart than a minute; five minutes bridge a missed one."""
    window = max(step, timedelta(minutes=5))
    return window, min(max(window / 12, timedelta(minutes=5)), timedelta(minutes=15))


def total_windows(start: datetime, end: datetime) -> tuple[timedelta, timedelta]:
    """The same for what is counted over the whole span."""
    return end - start, max((end - start) / 500, timedelta(minutes=1))


def _is_known(request: Request, part: KubernetesSettings) -> bool:
    return bool(part.metrics_labels) or not shares_its_store(request.context.settings, part)


def _place(request: Request, part: KubernetesSettings | None = None, shown: str = "") -> Place:
    name = part.name if part else ""
    client, store = request.context.systems.metrics_of(name), request.context.settings.store("victoriametrics", name)
    assert client is not None, "only asked where VictoriaMetrics is configured"
    assert store is not None, "the client was made of it"
    return Place(shown, part.metrics_labels if part else {}, client, address_of("victoriametrics", store).url)
