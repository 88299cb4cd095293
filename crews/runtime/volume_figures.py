"""Asks a metrics store for the present figures of all volumes of a cluster, each series by itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from opscrew.storage.figures import Figures, Reading, node_of, pick
from opscrew.storage.volume import Claim
from tools.victoriametrics.client import VictoriaMetricsClient, cluster_labels, named_query

Key = tuple[str, str]
"""Namespace and name of a claim."""

RECENT = "15m"
"""Figures older than this are not the present: the volume is not mounted, or nobody measures."""

METRIC = "kubelet_volume_stats_"


@dataclass(frozen=True)
class PresentFigures:
    """``partial``: some storage node of the store did not answer, so that what is missing may exist."""

    readings: Mapping[Key, list[Reading]]
    partial: bool
    nodes: frozenset[str] = frozenset()
    """Those of the cluster, where the store writes their names."""

    def seen_from(self, nodes: Collection[str]) -> PresentFigures:
        """The same for a cluster with these nodes. Where none of their names is in the store, it writes others, such
        as addresses, and they tell nothing."""
        written = {node_of(one.labels) for readings in self.readings.values() for one in readings}
        return replace(self, nodes=frozenset(nodes) if written & set(nodes) else frozenset())

    def of(self, claim: Claim) -> Figures | str:
        """The figures of a claim, or why there are none that can be trusted; see ``pick``."""
        return pick(self.readings.get((claim.namespace, claim.name), ()), claim, cluster_labels(), self.nodes)


def read_present(metrics: VictoriaMetricsClient, labels: Mapping[str, str], now: datetime) -> PresentFigures:
    """Two questions, whatever the number of volumes. Raises ``UpstreamError``."""
    values, times = (
        metrics.instant(named_query(name, RECENT, labels), now) for name in ("volume_figures", "volume_figures_at")
    )
    measured = {_series(one.labels): one.value for one in times.samples}
    found: dict[Key, list[Reading]] = {}
    for sample in values.samples:
        at = measured.get(_series(sample.labels))
        metric = sample.labels.get("__name__", "")
        if at is not None and metric.startswith(METRIC):
            own = {name: value for name, value in sample.labels.items() if name != "__name__"}
            reading = Reading(metric.removeprefix(METRIC), own, sample.value, datetime.fromtimestamp(at, UTC))
            found.setdefault(claim_key(sample.labels), []).append(reading)
    return PresentFigures(found, values.partial or times.partial)


def claim_key(labels: Mapping[str, str]) -> Key:
    return (labels.get("namespace", ""), labels.get("persistentvolumeclaim", ""))


def _series(labels: Mapping[str, str]) -> frozenset[tuple[str, str]]:
    return frozenset(labels.items())
