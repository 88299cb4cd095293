"""What the metrics store knows of a cluster that its API server does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from crews.runtime.systems import Systems
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads.memory_peaks import namespaces_of_kills, with_peaks
from opscrew.cluster.workloads.throttling import ThrottledContainer
from opscrew.cluster.workloads.throttling_coverage import THROTTLING, gaps_of_mixed, throttling_coverage
from opscrew.errors import CrewError
from opscrew.model.coverage import Coverage, Gap
from opscrew.model.finding import Finding
from opscrew.settings import KubernetesSettings, Settings
from opscrew.settings_stores import StoreSettings
from opscrew.store.text import storable
from tools.errors import UpstreamError
from tools.queries import matchers
from tools.victoriametrics.client import VictoriaMetricsClient, cluster_labels, named_query
from tools.victoriametrics.records import Instant, Sample

WINDOW = "30m"
"""Long enough that a start-up or one slow request does not count, short enough to be about now."""

PEAK_WINDOW = "1d"
"""As long as an OOM kill is told (``oom_window_seconds`` in thresholds.yaml)."""
Key = tuple[str, str, str]
"""Namespace, pod and container."""


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
    metrics = systems.metrics_of(part.name)
    if metrics is None:
        raise CrewError("no metrics store is configured", "Add victoriametrics with its url to crew.yaml.")
    if not part.metrics_labels and shares_its_store(systems.settings, part):
        raise CrewError(
            f"it is not known which series in VictoriaMetrics belong to {part.name}",
            f"Set metrics_labels of {part.name} in crew.yaml, such as {{cluster: {part.name}}}.",
        )
    return metrics


def shares_its_store(settings: Settings, part: KubernetesSettings) -> bool:
    """Whether another cluster's series are in the same store and tenant."""
    own = settings.store("victoriametrics", part.name)
    others = [one for one in settings.kubernetes if one.name != part.name]
    return any(_place(settings.store("victoriametrics", one.name)) == _place(own) for one in others)


def _place(store: StoreSettings | None) -> object:
    return store and (store.url.rstrip("/"), store.tenant, store.headers)


def read_throttling(
    metrics: VictoriaMetricsClient, labels: Mapping[str, str], snapshot: Snapshot, cluster: str
) -> Throttling:
    """Every container that has a CPU limit, with the share of periods in which it was held back."""
    names = ("container_throttled_share", "container_cpu_limit", "container_cpu_used", "container_cpu_periods")
    answers = [metrics.instant(named_query(name, WINDOW, labels), snapshot.now) for name in names]
    shares, limits, used, periods = answers
    limit_of, use_of = _by_container(limits), _by_container(used)
    rows = []
    mixed = {key: whose for one in answers for key, whose in _of_several_clusters(one).items()}
    periods_of = _by_container(periods)
    for key, share in _by_container(shares).items():
        if key in mixed:
            continue
        namespace, pod, container = key
        found = snapshot.find("Pod", namespace, pod)
        if found is None:
            continue  # it is gone since; its successors speak for themselves
        owner = snapshot.top_owner_of(found)
        workload = f"{owner.kind}/{owner.name}" if owner is not found else ""
        figures = (share, workload, limit_of.get(key), use_of.get(key), periods_of.get(key))
        rows.append(ThrottledContainer(namespace, pod, container, *figures))
    # A container that did nothing has periods and no share of them.
    counted = {*_by_container(shares), *periods_of}
    where = f"in the last {WINDOW}" + (f" with {{{matchers(labels)}}}" if labels else "")
    partial = any(answer.partial for answer in answers)
    coverage = throttling_coverage(snapshot, cluster, counted, use_of.keys(), partial=partial, where=where)
    coverage = replace(coverage, gaps=(*coverage.gaps, *gaps_of_mixed(snapshot, cluster, mixed)))
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
        query = named_query("container_memory_peak", PEAK_WINDOW, part.metrics_labels, namespaces=namespaces)
        answer = metrics.instant(query, now)
    except (UpstreamError, CrewError) as problem:
        silent = "" if systems.victoriametrics is None else f"peaks of memory in {part.name} ({problem})"
        return with_peaks(findings, {}, now, str(problem)), silent
    mixed = _of_several_clusters(answer)
    peaks = {key: value for key, value in _by_container(answer).items() if key not in mixed}
    return with_peaks(findings, peaks, now, next(iter(mixed.values()), "")), ""


def _by_container(answer: Instant) -> dict[Key, float]:
    """The highest where there are copies."""
    found: dict[Key, float] = {}
    for sample in answer.samples:
        found[_key(sample)] = max(sample.value, found.get(_key(sample), sample.value))
    return found


def _of_several_clusters(answer: Instant) -> dict[Key, str]:
    """Containers whose name has series of more than one cluster, with the reason why nothing is said of them."""
    values: dict[tuple[Key, str], set[str]] = {}
    for sample in answer.samples:
        for label in cluster_labels():
            if sample.labels.get(label):
                values.setdefault((_key(sample), label), set()).add(sample.labels[label])
    return {
        key: f"series of several clusters have its name ({label} {' and '.join(sorted(seen)[:2])}), "
        "and metrics_labels do not tell which is ours"
        for (key, label), seen in values.items()
        if len(seen) > 1
    }


def _key(sample: Sample) -> Key:
    namespace, pod, container = (sample.labels.get(name, "") for name in ("namespace", "pod", "container"))
    return namespace, pod, container
