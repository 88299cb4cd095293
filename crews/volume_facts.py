"""Brings together what the cluster says of its claims and what the kubelets measured of their file systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.quantities import parse_quantity
from opscrew.cluster.snapshot import Snapshot
from opscrew.model.coverage import Coverage
from opscrew.storage.coverage import Unmeasured, volume_coverage, without_figures
from opscrew.storage.rules import storage_rules
from opscrew.storage.volume import DAY, GIB, HOUR, Claim, Past, StorageClass, Volume, read_past
from tools.kubernetes.fields import mapping, mappings, text, truth
from tools.kubernetes.records import Resource
from tools.queries import matchers
from tools.victoriametrics.client import VictoriaMetricsClient, named_query
from tools.victoriametrics.records import Instant, Range

Key = tuple[str, str]
"""Namespace and name of a claim."""
RECENT = "15m"
"""Figures older than this are not the present: the volume is not mounted, or nobody measures."""


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
    users = _workloads(snapshot)
    found = {}
    for resource in snapshot.of("PersistentVolumeClaim"):
        key = (resource.namespace, resource.name)
        found[key] = read_claim(resource, cluster, classes, users.get(key, ""))
    return found


def read_claim(resource: Resource, cluster: str, classes: Mapping[str, StorageClass], workload: str = "") -> Claim:
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
        requested=requested,
        capacity=capacity,
        resizing=_resizing(resource, requested, capacity),
        workload=workload,
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
    names = ("used_bytes", "capacity_bytes", "available_bytes", "inodes_used", "inodes")
    answers = {name: metrics.instant(named_query(f"volume_{name}", RECENT, labels), now) for name in names}
    used, capacity, available, inodes_used, inodes = (_by_claim(answers[name]) for name in names)
    pasts = _Pasts(metrics, labels, now, claims)
    volumes = [
        Volume(
            claim=claim,
            capacity=capacity[key],
            used=used[key],
            available=available.get(key, capacity[key] - used[key]),
            inodes=inodes.get(key, 0),
            inodes_used=inodes_used.get(key, 0),
            past=pasts.of("volume_used_bytes_peak", key),
            inodes_past=pasts.of("volume_inodes_used_peak", key) if inodes.get(key) else Past(),
            enlarged_at=enlarged_at.get(claim.subject.key),
        )
        for key, claim in claims.items()
        if key in used and key in capacity
    ]
    measured = {(volume.claim.namespace, volume.claim.name) for volume in volumes}
    why = f"no kubelet_volume_stats figures of the last {RECENT}{_with(labels)}"
    unmeasured = [without_figures(claim, why, now) for key, claim in claims.items() if key not in measured]
    partial = pasts.partial or any(answer.partial for answer in answers.values())
    return VolumeFacts(tuple(volumes), tuple(unmeasured), partial)


class _Pasts:
    """The pasts of all volumes, each question asked once and only when somebody needs the answer."""

    def __init__(
        self, metrics: VictoriaMetricsClient, labels: Mapping[str, str], now: datetime, claims: Mapping[Key, Claim]
    ) -> None:
        self._metrics, self._labels, self._now, self._claims = metrics, labels, now, claims
        self._asked: dict[tuple[str, timedelta], dict[Key, Past]] = {}
        self.partial = False

    def of(self, query: str, key: Key) -> Past:
        """Day by day, or hour by hour where there are few days."""
        rules = storage_rules()
        daily = self._all(query, DAY, timedelta(days=rules.history_days)).get(key, Past())
        if len(daily.values) >= rules.fewest_daily_values:
            return daily
        hours = timedelta(days=rules.fewest_daily_values)
        return self._all(query, HOUR, hours).get(key, daily)

    def _all(self, query: str, step: timedelta, length: timedelta) -> dict[Key, Past]:
        if (query, step) not in self._asked:
            window = "1d" if step == DAY else "1h"
            text_ = named_query(query, window, self._labels)
            answer: Range = self._metrics.range(text_, self._now - length, self._now, step)
            self.partial = self.partial or answer.partial
            self._asked[(query, step)] = {
                key: read_past(series.points, step, self._now, self._claims[key].created_at)
                for series in answer.series
                if (key := _key(series.labels)) in self._claims
            }
        return self._asked[(query, step)]


def _workloads(snapshot: Snapshot) -> dict[Key, str]:
    """Who mounts a claim: the end of the owner chain of a running pod."""
    found: dict[Key, str] = {}
    for pod in snapshot.of("Pod"):
        if text(pod.status, "phase") != "Running":
            continue
        for volume in mappings(pod.spec, "volumes"):
            name = text(volume, "persistentVolumeClaim", "claimName")
            if not name and "ephemeral" in volume:
                name = f"{pod.name}-{text(volume, 'name')}"
            if name:
                owner = snapshot.top_owner_of(pod)
                found[(pod.namespace, name)] = f"{owner.kind}/{owner.name}"
    return found


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


def _by_claim(answer: Instant) -> dict[Key, float]:
    return {_key(sample.labels): sample.value for sample in answer.samples}


def _key(labels: Mapping[str, str]) -> Key:
    return (labels.get("namespace", ""), labels.get("persistentvolumeclaim", ""))


def _bytes(quantity: str) -> float:
    return float(parse_quantity(quantity) or 0)
