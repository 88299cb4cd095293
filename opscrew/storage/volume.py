"""A volume as the judgement sees it: what was claimed, what the file system says, and how it got there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from opscrew.model.subject import Subject
from opscrew.storage.forecast import FEWEST_VALUES, Forecast, forecast
from opscrew.storage.rules import storage_rules

GIB = 2**30
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Fit(StrEnum):
    """How the file system's size relates to the claim's."""

    SAME = "same"
    SMALLER = "smaller"  # not enlarged yet, or the figures are stale
    LARGER = "larger"  # shared with others: the claim's size limits nothing


@dataclass(frozen=True)
class StorageClass:
    """``expandable`` is ``allowVolumeExpansion``; ``type`` the provisioner's parameter of that name."""

    name: str = ""
    provisioner: str = ""
    type: str = ""
    expandable: bool = False


@dataclass(frozen=True)
class Claim:
    """A PersistentVolumeClaim. Sizes in bytes; ``resizing`` says how an enlargement stands, empty when there is none.

    ``workload`` is the owner of the pods that mount it ("StatefulSet/db"), empty where none does. ``read_only`` means
    that nobody can write to it (ReadOnlyMany alone), so that it is as full as it was made. ``nodes`` are those whose
    running pods mount it.
    """

    cluster: str
    namespace: str
    name: str
    uid: str = ""
    phase: str = "Bound"
    mode: str = "Filesystem"
    read_only: bool = False
    requested: float = 0
    capacity: float = 0
    resizing: str = ""
    workload: str = ""
    nodes: frozenset[str] = frozenset()
    created_at: datetime | None = None
    storage_class: StorageClass = field(default_factory=StorageClass)

    @property
    def subject(self) -> Subject:
        scope = f"{self.cluster}/{self.namespace}" if self.cluster else self.namespace
        return Subject(system="kubernetes", kind="PersistentVolumeClaim", scope=scope, name=self.name)


@dataclass(frozen=True)
class Past:
    """Peaks of use per ``step``, oldest first, the last one of the step that ends now. Empty where not known."""

    values: tuple[float, ...] = ()
    step: timedelta = DAY

    @property
    def length(self) -> timedelta:
        return max(0, len(self.values) - 1) * self.step

    def forecast(self, capacity: float, horizon: timedelta) -> Forecast | None:
        """None where the past is too short, or there is no capacity to run out of."""
        enough = len(self.values) >= FEWEST_VALUES and self.length >= timedelta(hours=storage_rules().fewest_hours)
        return forecast(self.values, self.step, capacity, horizon) if enough and capacity > 0 else None


@dataclass(frozen=True)
class Volume:
    """A claim with the figures of its file system. ``inodes`` is 0 where the file system has no table of them.

    ``available`` is what a program may still write, less than ``capacity - used`` where some is kept for root.
    """

    claim: Claim
    capacity: float
    used: float
    available: float
    inodes: float = 0
    inodes_used: float = 0
    past: Past = Past()
    inodes_past: Past = Past()
    enlarged_at: datetime | None = None
    """When the crew last enlarged it."""

    @property
    def usable(self) -> float:
        """Bytes at which writing fails."""
        return self.used + max(0.0, self.available)

    @property
    def used_share(self) -> float:
        return self.used / self.usable if self.usable else 0.0

    @property
    def inodes_share(self) -> float:
        return self.inodes_used / self.inodes if self.inodes else 0.0

    @property
    def fit(self) -> Fit:
        """Compared with the claim's own capacity, which only changes once an enlargement is through."""
        claimed = max(self.claim.requested, self.claim.capacity)
        if claimed and self.capacity < least_of(claimed):
            return Fit.SMALLER
        larger = self.capacity - claimed > storage_rules().stale_percent / 100 * claimed
        return Fit.LARGER if claimed and larger else Fit.SAME


def least_of(claimed: float) -> float:
    """The smallest file system, in bytes, that fills a disk of so many: what it takes for itself is a share of a large
    disk, and a journal of a fixed size of a small one."""
    rules = storage_rules()
    journal = min(rules.overhead_mib * 2**20, rules.overhead_most_percent / 100 * claimed)
    return claimed - max(rules.stale_percent / 100 * claimed, journal)


def read_past(
    points: Sequence[tuple[float, float]], step: timedelta, now: datetime, created_at: datetime | None = None
) -> Past:
    """Evenly spaced values from (Unix seconds, value) points, of which some may be missing.

    A gap keeps the value before it: the volume was not mounted, or nobody measured. A point is the peak of the step
    before it; one whose step reaches back before the claim was created belongs to another volume of the same name.
    """
    seconds = step.total_seconds()
    begin = created_at.timestamp() if created_at else float("-inf")
    known = {
        round((at - now.timestamp()) / seconds): value
        for at, value in points
        if begin <= at - seconds and at <= now.timestamp() + seconds / 2
    }
    if not known:
        return Past(step=step)
    values: list[float] = []
    for index in range(min(known), 1):
        values.append(known.get(index, values[-1] if values else 0.0))
    return Past(tuple(values), step)


def days_between(earlier: datetime, later: datetime) -> float:
    """Negative where ``earlier`` is the later one."""
    return (later.astimezone(UTC) - earlier.astimezone(UTC)) / DAY
