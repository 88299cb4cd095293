"""Which stores are asked for figures, and with which labels: one place for each cluster whose series can be told apart.

Clusters that share one store are asked one by one, as their objects may have the same names, and always with their
``metrics_labels``. Where none of them has any, and for machines and services outside of any cluster, the common store
is asked once; series of several clusters then carry their labels into the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from crews.ask.gather.collector import Request
from crews.runtime.cluster_metrics import shares_its_store
from crews.runtime.systems import address_of
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
    parts = request.clusters
    if len(request.context.settings.kubernetes) > 1:
        known = [part for part in parts if _is_known(request, part)]
        return [_place(request, part, part.name) for part in known[:MOST_PLACES]] or [_place(request)]
    return [_place(request, parts[0]) if parts else _place(request)]


def unasked(request: Request) -> Iterator[Gap]:
    """Clusters that are not asked, and why."""
    parts = request.clusters
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


def stores(request: Request) -> list[VictoriaMetricsClient]:
    """Every store that may hold what is asked for, each once: for series that belong to no cluster by a label."""
    systems = request.context.systems
    found = [systems.metrics_of(part.name) for part in request.clusters] or [systems.victoriametrics]
    return list({id(client): client for client in (*found, systems.victoriametrics) if client is not None}.values())


def may_be_ours(labels: Mapping[str, str], request: Request) -> bool:
    """Whether a series contradicts the labels of no configured cluster; one without such labels may be of any."""
    parts = request.clusters
    return not parts or any(
        all(labels.get(name, value) == value for name, value in part.metrics_labels.items()) for part in parts
    )


def _is_known(request: Request, part: KubernetesSettings) -> bool:
    return bool(part.metrics_labels) or not shares_its_store(request.context.settings, part)


def _place(request: Request, part: KubernetesSettings | None = None, shown: str = "") -> Place:
    name = part.name if part else ""
    client, store = request.context.systems.metrics_of(name), request.context.settings.store("victoriametrics", name)
    assert client is not None, "only asked where VictoriaMetrics is configured"
    assert store is not None, "the client was made of it"
    return Place(shown, part.metrics_labels if part else {}, client, address_of("victoriametrics", store).url)
