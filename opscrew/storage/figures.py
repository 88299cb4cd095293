"""Which of a store's series are a volume's, and what they say: all figures from one series, the newest.

A claim's name is no identity. A store may hold several clusters, a claim of the same name may have been deleted an hour
ago, a volume that moved is reported by two nodes, and two scrapers report each volume twice. Figures are therefore
never put together from several series; and where fresh series disagree there is no figure but a reason.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from opscrew.storage.volume import Claim

TWINS = timedelta(minutes=5)
"""Series that ended longer before the newest are history: the volume moved to another node. As long as a Prometheus
without staleness marks goes on with a series."""

SAME_CAPACITY, SAME_USE = 0.01, 0.05
"""Shares of the capacity within which copies may differ: they are measured up to a minute apart."""

IMPOSSIBLE = 1.02
"""Used and available together above the capacity by more than rounding: the figures are not of one file system."""

NODE_LABELS = ("node", "kubernetes_node", "nodename")
"""Labels that name the node whose kubelet measured, as the usual scrape configurations write them."""

UNLIMITED = 2.0**63
"""CephFS reports 2^64 - 1 free inodes, which is -1 (https://github.com/yashbhutwala/kubectl-df-pv/issues/9)."""


@dataclass(frozen=True)
class Reading:
    """One sample of one series. ``figure`` is the end of the metric's name, such as ``used_bytes``."""

    figure: str
    labels: Mapping[str, str]
    value: float
    at: datetime


@dataclass(frozen=True)
class Figures:
    """Of one file system at one time: bytes and inodes, ``inodes`` 0 where it has no table of them. ``labels`` are
    those of the series that they are from."""

    capacity: float
    used: float
    available: float
    inodes: float
    inodes_used: float
    at: datetime
    labels: Mapping[str, str]


def pick(
    readings: Iterable[Reading], claim: Claim, cluster_labels: Collection[str], nodes: Collection[str] = ()
) -> Figures | str:
    """The figures of a claim, or why there are none that can be trusted, "" where there are none at all.

    ``readings`` are those of all series with the claim's name; ``cluster_labels`` are labels that tell clusters apart.
    ``nodes`` are the cluster's nodes where the store is known to write their names, so that series of any other node
    are another cluster's.
    """
    if claim.mode != "Filesystem":
        return ""  # of a block device the kubelet gives a use of 0 and nothing available, which is no full file system
    known = [one for one in readings if math.isfinite(one.value)]
    strange = [one for one in known if nodes and (name := node_of(one.labels)) and name not in nodes]
    if strange and len(strange) == len(known):
        return f"only a node of another cluster reports a volume of its name ({node_of(strange[0].labels)})"
    known = [one for one in known if one not in strange]
    since = claim.created_at
    own = [one for one in known if since is None or one.at >= since]
    views = [view for view in (_view(group, claim) for group in _groups(own)) if view is not None]
    if not views:
        return "its figures are older than itself, of a claim of the same name" if known and not own else ""
    newest = max(views, key=lambda view: view.at)
    twins = [view for view in views if newest.at - view.at <= TWINS]
    # Where the volume is, its kubelet knows best: the one that had it before may go on with what it saw last.
    twins = [view for view in twins if node_of(view.labels) in claim.nodes] or twins
    if whose := _differing(twins, cluster_labels):
        return f"series of several clusters have its name ({whose}), and metrics_labels do not tell which is ours"
    if not _agree(twins):
        names = sorted({name for view in twins for name in view.labels})
        whose = _differing(twins, names) or "without a label that tells them apart"
        return f"its series disagree ({whose}): they may be of several clusters"
    found = max(twins, key=lambda view: view.at)
    if found.used + max(0.0, found.available) > found.capacity * IMPOSSIBLE:
        return "its figures contradict each other: used and available are more than the file system has"
    return found


def node_of(labels: Mapping[str, str]) -> str:
    """The node whose kubelet measured, "" where no label says so."""
    return next((labels[name] for name in NODE_LABELS if labels.get(name)), "")


def is_a_table(inodes: float, used_before: Collection[float], most_free: float) -> bool:
    """Whether inodes that are all in use were a table that is full now, and not one that grows with its files.

    A table had room once (``most_free``). Where the past does not reach back so far: that of ext4 has whole groups of
    eight (https://docs.kernel.org/filesystems/ext4/blockgroup.html) and keeps its size, while CephFS, which makes
    inodes as they are needed, reports as many as there are files.
    """
    return most_free > 0 or (inodes % 8 == 0 and len(set(used_before)) <= 1)


def _groups(readings: Iterable[Reading]) -> Iterable[list[Reading]]:
    found: dict[frozenset[tuple[str, str]], list[Reading]] = {}
    for one in readings:
        found.setdefault(frozenset(one.labels.items()), []).append(one)
    return found.values()


def _view(readings: Collection[Reading], claim: Claim) -> Figures | None:
    """None where a series says too little to judge the volume by."""
    values = {one.figure: one.value for one in readings}
    capacity, used, available = (values.get(f"{name}_bytes") for name in ("capacity", "used", "available"))
    if capacity is None and used is not None and available is not None:
        # What root alone may use is in neither of the two, so the claim's size is nearer where it is about that.
        seen = used + max(0.0, available)
        capacity = claim.capacity if 0.9 * claim.capacity <= seen <= claim.capacity else seen
    if not capacity or (used is None and available is None):
        return None  # nothing has a size of 0: the kubelet asked before there was an answer
    # The kubelet writes 0 where a driver gives no use (https://github.com/ceph/ceph-csi/pull/3407).
    if used is None or (used == 0 and available is not None):
        used = max(0.0, capacity - (available or 0.0))
    inodes, inodes_used = _inodes(values)
    left = available if available is not None else capacity - used
    return Figures(
        capacity, used, left, inodes, inodes_used, max(one.at for one in readings), next(iter(readings)).labels
    )


def _inodes(values: Mapping[str, float]) -> tuple[float, float]:
    """Total and used; both 0 where there is no table."""
    total, used, free = (values.get(name) for name in ("inodes", "inodes_used", "inodes_free"))
    if total is None and used is not None and free is not None:
        total = used + free
    if used is None and total is not None and free is not None:
        used = total - free
    if total is None or used is None or max(total, free or 0.0) >= UNLIMITED or not 0 <= used <= total:
        return 0.0, 0.0
    return total, used


def same_cluster(labels: Mapping[str, str], figures: Figures, cluster_labels: Collection[str]) -> bool:
    """Whether a series can be of the cluster whose figures these are."""
    return all(labels.get(name, "") in ("", figures.labels.get(name, labels.get(name))) for name in cluster_labels)


def _agree(twins: Collection[Figures]) -> bool:
    sizes, uses = [one.capacity for one in twins], [one.used for one in twins]
    size = max(sizes)
    return size - min(sizes) <= SAME_CAPACITY * size and max(uses) - min(uses) <= SAME_USE * size


def _differing(views: Collection[Figures], names: Collection[str]) -> str:
    """The first label of ``names`` in whose values these series differ, with two of the values. A series without the
    label is no other's: one of two scrapers may not write it."""
    for name in names:
        values = sorted({view.labels[name] for view in views if view.labels.get(name)})
        if len(values) > 1:
            return f"{name} {values[0]} and {values[1]}"
    return ""
