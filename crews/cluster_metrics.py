"""What the metrics store knows of a cluster that its API server does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from crews.systems import Systems
from opscrew.cluster.memory_peaks import namespaces_of_kills, with_peaks
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.throttling import ThrottledContainer
from opscrew.cluster.throttling_coverage import THROTTLING, throttling_coverage
from opscrew.errors import CrewError
from opscrew.model.coverage import Coverage, Gap
from opscrew.model.finding import Finding
from opscrew.settings import KubernetesSettings
from opscrew.store.text import storable
from tools.errors import UpstreamError
from tools.queries import matchers
from tools.victoriametrics.client import VictoriaMetricsClient, named_query
from tools.victoriametrics.records import Instant

WINDOW = "30m"
"""Long enough that a start-up or one slow request does not count, short enough to be about now."""

PEAK_WINDOW = "1d"
"""As long as an OOM kill is told (``oom_window_seconds`` in thresholds.yaml)."""
MOST_NAMESPACES = 10
"""Asked one by one, so that the store need not look at every container; where more are hit, the cluster is asked."""


@dataclass(frozen=True)
class Throttling:
    """``coverage`` says which workloads these figures speak for, ``failure`` why the store could not be asked, or that
    it answered in part."""

    containers: tuple[ThrottledContainer, ...]
    coverage: Coverage
    failure: str = ""


def metrics_of(systems: Systems, part: KubernetesSettings) -> VictoriaMetricsClient:
    """The client to ask about that cluster. Raises ``CrewError`` where the settings do not allow a certain answer.

    With several clusters in one store, figures of one would be taken for another's object of the same name.
    """
    metrics = systems.victoriametrics
    if metrics is None:
        raise CrewError("no metrics store is configured", "Add victoriametrics with its url to crew.yaml.")
    if len(systems.settings.kubernetes) > 1 and not part.metrics_labels:
        raise CrewError(
            f"it is not known which series in VictoriaMetrics belong to {part.name}",
            f"Set metrics_labels of {part.name} in crew.yaml, such as {{cluster: {part.name}}}.",
        )
    return metrics


def read_throttling(
    metrics: VictoriaMetricsClient, labels: Mapping[str, str], snapshot: Snapshot, cluster: str
) -> Throttling:
    """Every container that has a CPU limit, with the share of periods in which it was held back."""
    names = ("container_throttled_share", "container_cpu_limit", "container_cpu_used", "container_cpu_periods")
    answers = [metrics.instant(named_query(name, WINDOW, labels), snapshot.now) for name in names]
    shares, limits, used, periods = answers
    limit_of, use_of = _by_container(limits), _by_container(used)
    rows = []
    for key, share in _by_container(shares).items():
        namespace, pod, container = key
        found = snapshot.find("Pod", namespace, pod)
        if found is None:
            continue  # it is gone since; its successors speak for themselves
        owner = snapshot.top_owner_of(found)
        workload = f"{owner.kind}/{owner.name}" if owner is not found else ""
        rows.append(ThrottledContainer(namespace, pod, container, share, workload, limit_of.get(key), use_of.get(key)))
    # A container that did nothing has periods and no share of them.
    counted = {*_by_container(shares), *_by_container(periods)}
    where = f"in the last {WINDOW}" + (f" with {{{matchers(labels)}}}" if labels else "")
    partial = any(answer.partial for answer in answers)
    coverage = throttling_coverage(snapshot, cluster, counted, use_of.keys(), partial=partial, where=where)
    return Throttling(tuple(rows), coverage, "the metrics store answered in part" if partial else "")


def look_for_throttling(systems: Systems, part: KubernetesSettings, snapshot: Snapshot) -> Throttling:
    """Never raises: a store that cannot be asked is a gap, like one that has no figures."""
    try:
        return read_throttling(metrics_of(systems, part), part.metrics_labels, snapshot, part.name)
    except (UpstreamError, CrewError) as problem:
        why = storable(str(problem))
        return Throttling((), Coverage(0, (Gap(THROTTLING, why),)), why)


def findings_with_peaks(
    systems: Systems, part: KubernetesSettings, findings: Sequence[Finding], now: datetime
) -> tuple[list[Finding], str]:
    """The findings, with the peak of memory beside OOM kills, and what did not answer ("" when nothing is amiss).

    Nothing is asked where nothing was killed.
    """
    namespaces = namespaces_of_kills(findings)
    if not namespaces:
        return list(findings), ""
    try:
        metrics = metrics_of(systems, part)
        few = len(namespaces) <= MOST_NAMESPACES
        peaks: dict[tuple[str, str, str], float] = {}
        for labels in [{"namespace": namespace} for namespace in namespaces] if few else [{}]:
            query = named_query("container_memory_peak", PEAK_WINDOW, {**part.metrics_labels, **labels})
            peaks |= _by_container(metrics.instant(query, now))
    except (UpstreamError, CrewError) as problem:
        silent = "" if systems.victoriametrics is None else f"peaks of memory in {part.name} ({problem})"
        return with_peaks(findings, {}, now, str(problem)), silent
    return with_peaks(findings, peaks, now), ""


def _by_container(answer: Instant) -> dict[tuple[str, str, str], float]:
    return {
        (sample.labels.get("namespace", ""), sample.labels.get("pod", ""), sample.labels.get("container", "")): (
            sample.value
        )
        for sample in answer.samples
    }
