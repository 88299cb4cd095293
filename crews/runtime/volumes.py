"""Brings together what the cluster says of its claims and what the kubelets measured of their file systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crews.runtime.volume_figures import RECENT, Key, claim_key, read_present
from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.quantities import parse_quantity
from opscrew.cluster.snapshot import Snapshot
from opscrew.model.coverage import Coverage
from opscrew.storage.coverage import Unmeasured, volume_coverage, without_figures
from opscrew.storage.figures import Figures, is_a_table, same_cluster
from opscrew.storage.rules import storage_rules
from opscrew.storage.volume import DAY, GIB, HOUR, Claim, Past, StorageClass, Volume, read_past
from tools.kubernetes.fields import mapping, mappings, text, truth
from tools.kubernetes.records import Resource
from tools.queries import matchers
from tools.victoriametrics.client import VictoriaMetricsClient, cluster_labels, named_query
from tools.victoriametrics.records import Range, Series


@dataclass(frozen=True)
class VolumeFacts:
    """Every claim is in one of the two. ``partial``: some storage node of the metrics store did not answer, so that
    what is missing may exist."""

    volumes: tuple[Volume, ...]
    unmeasured: tuple[Unmeasured, ...]
    partial: bool

    @property
    def coverage(self) -> Coverage:
        return volume_coverage(len(self.volumes), self.unmeasured, partial=self.partial)


def read_claims(snapshot: Snapshot, cluster: str) -> dict[Key, Claim]:
    """Every claim of a cluster."""
    classes = {one.name: read_class(one) for one in snapshot.of("StorageClass")}
    mounting = _mounting(snapshot)
    found = {}
    for resource in snapshot.of("PersistentVolumeClaim"):
        key = (resource.namespace, resource.name)
        pods = mounting.get(key, [])
        owner = snapshot.top_owner_of(pods[-1]) if pods else None
        workload = f"{owner.kind}/{owner.name}" if owner else ""
        nodes = frozenset(text(pod.spec, "nodeName") for pod in pods) - {""}
        found[key] = replace(read_claim(resource, cluster, classes), workload=workload, nodes=nodes)
    return found


def read_claim(resource: Resource, cluster: str, classes: Mapping[str, StorageClass]) -> Claim:
    """One claim. A class that does not exist (any more) cannot be enlarged."""
    name = text(resource.spec, "storageClassName")
    requested = _bytes(text(resource.spec, "resources", "requests", "storage"))
    capacity = _bytes(text(resource.status, "capacity", "storage"))
    return Claim(
        cluster=cluster,
        namespace=resource.namespace,
        name=resource.name,
        uid=resource.uid,
        phase="Terminating" if resource.deleting_since else text(resource.status, "phase"),
        mode=text(resource.spec, "volumeMode") or "Filesystem",
        read_only=_access_modes(resource) == {"ReadOnlyMany"},
        requested=requested,
        capacity=capacity,
        resizing=_resizing(resource, requested, capacity),
        created_at=resource.created_at,
        storage_class=classes.get(name, StorageClass(name)),
    )


def read_class(resource: Resource) -> StorageClass:
    """One storage class."""
    return StorageClass(
        resource.name,
        text(resource.body, "provisioner"),
        text(resource.body, "parameters", "type") or text(resource.body, "parameters", "skuName"),
        truth(resource.body, "allowVolumeExpansion") is True,
    )


def read_facts(
    claims: Mapping[Key, Claim],
    metrics: VictoriaMetricsClient,
    labels: Mapping[str, str],
    now: datetime,
    enlarged_at: Mapping[str, datetime],
) -> VolumeFacts:
    """Asks for present figures and the past of all claims at once. Raises ``UpstreamError``.

    ``enlarged_at`` says when the crew last enlarged a claim, by the key of its subject.
    """
    nodes = frozenset().union(*(claim.nodes for claim in claims.values()))
    present = read_present(metrics, labels, now).seen_from(nodes)
    pasts = _Pasts(metrics, labels, now, claims)
    volumes, unmeasured = [], []
    nothing = f"no kubelet_volume_stats figures of the last {RECENT}{_with(labels)}"
    for key, claim in claims.items():
        figures = present.of(claim)
        if isinstance(figures, str):
            unmeasured.append(without_figures(claim, figures or nothing, now))
        else:
            volumes.append(_volume(claim, figures, pasts, key, enlarged_at.get(claim.subject.key)))
    return VolumeFacts(tuple(volumes), tuple(unmeasured), pasts.partial or present.partial)


def _volume(claim: Claim, figures: Figures, pasts: _Pasts, key: Key, enlarged_at: datetime | None) -> Volume:
    inodes = figures.inodes
    inodes_past = pasts.of("volume_inodes_used_peak", key, figures) if inodes else Past()
    if inodes and figures.inodes_used >= inodes:
        most_free = max(pasts.of("volume_inodes_free_most", key, figures).values, default=0.0)
        inodes = inodes if is_a_table(inodes, inodes_past.values, most_free) else 0
    return Volume(
        claim=claim,
        capacity=figures.capacity,
        used=figures.used,
        available=figures.available,
        inodes=inodes,
        inodes_used=figures.inodes_used if inodes else 0,
        past=pasts.of("volume_used_bytes_peak", key, figures),
        inodes_past=inodes_past if inodes else Past(),
        enlarged_at=enlarged_at,
    )


class _Pasts:
    """The pasts of all volumes, each question asked once and only when somebody needs the answer."""

    def __init__(
        self, metrics: VictoriaMetricsClient, labels: Mapping[str, str], now: datetime, claims: Mapping[Key, Claim]
    ) -> None:
        self._metrics, self._labels, self._now, self._claims = metrics, labels, now, claims
        self._asked: dict[tuple[str, timedelta], dict[Key, list[Series]]] = {}
        self.partial = False

    def of(self, query: str, key: Key, figures: Figures) -> Past:
        """Day by day, or hour by hour where there are few days or the last one leapt: whether a leap has ended or goes
        on is seen by the hour. Of the cluster whose ``figures`` these are."""
        rules = storage_rules()
        daily = self._past(query, key, figures, DAY, timedelta(days=rules.history_days))
        if len(daily.values) >= rules.fewest_daily_values and not daily.leapt:
            return daily
        hourly = self._past(query, key, figures, HOUR, timedelta(days=rules.fewest_daily_values))
        return hourly if hourly.values else daily

    def _past(self, query: str, key: Key, figures: Figures, step: timedelta, length: timedelta) -> Past:
        highest: dict[float, float] = {}
        for series in self._all(query, step, length).get(key, ()):
            if same_cluster(series.labels, figures, cluster_labels()):
                for at, value in series.points:
                    highest[at] = max(value, highest.get(at, value))
        return read_past(sorted(highest.items()), step, self._now, self._claims[key].created_at)

    def _all(self, query: str, step: timedelta, length: timedelta) -> Mapping[Key, list[Series]]:
        if (query, step) not in self._asked:
            window = "1d" if step == DAY else "1h"
            text_ = named_query(query, window, self._labels)
            answer: Range = self._metrics.range(text_, self._now - length, self._now, step)
            self.partial = self.partial or answer.partial
            found: dict[Key, list[Series]] = {}
            for series in answer.series:
                found.setdefault(claim_key(series.labels), []).append(series)
            self._asked[(query, step)] = found
        return self._asked[(query, step)]


def _mounting(snapshot: Snapshot) -> dict[Key, list[Resource]]:
    """The pods that have each claim mounted."""
    found: dict[Key, list[Resource]] = {}
    for pod in snapshot.of("Pod"):
        if not _has_mounted(pod):
            continue
        for volume in mappings(pod.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            if not name and "ephemeral" in volume:
                name = f"{pod.name}-{text(volume, 'name')}"
            if name:
                found.setdefault((pod.namespace, name), []).append(pod)
    return found


def _has_mounted(pod: Resource) -> bool:
    """Volumes are mounted before the first container starts, so before init containers too, which may well fail because
    the volume is full."""
    if text(pod.status, "phase") == "Running":
        return True
    inits = mappings(pod.status, "initContainerStatuses")
    begun = any({"running", "terminated"} & mapping(one, "state").keys() or mapping(one, "lastState") for one in inits)
    return text(pod.status, "phase") == "Pending" and begun


def _access_modes(resource: Resource) -> set[str]:
    found = resource.spec.get("accessModes")
    return {str(one) for one in found} if isinstance(found, list) else set()


def _resizing(resource: Resource, requested: float, capacity: float) -> str:
    """How far an enlargement is, in words; empty when none is under way."""
    waiting = [one for one in read_conditions(resource.status) if one.type in _RESIZING and one.status]
    if waiting:
        return waiting[0].message[:200] or _RESIZING[waiting[0].type]
    states = mapping(resource.status, "allocatedResourceStatuses")
    if states:
        return f"the driver says {text(states, 'storage') or 'that it works on it'}"
    if capacity and requested > capacity:
        return f"it asks for {requested / GIB:g} GiB and has {capacity / GIB:g}"
    return ""


_RESIZING = {
    "Resizing": "the driver enlarges the disk",
    "FileSystemResizePending": "the file system is enlarged when a pod mounts it",
}


def _with(labels: Mapping[str, str]) -> str:
    """Where the cluster's labels are wrong, nobody would see it otherwise."""
    return f" with {{{matchers(labels)}}}" if labels else ""


def _bytes(quantity: str) -> float:
    return float(parse_quantity(quantity) or 0)
