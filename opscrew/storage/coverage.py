"""Which volumes were measured, which were not and why: what findings and summaries of storage rest on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from opscrew.model.coverage import Basis, Coverage, Gap
from opscrew.storage.volume import Claim

FIRST_FIGURES = timedelta(minutes=15)
"""A new volume has no figures before the kubelet has looked at it and a scrape has brought them."""

PARTIAL = "the metrics store answered in part"


@dataclass(frozen=True)
class Unmeasured:
    """A claim without figures that can be trusted. ``is_expected`` where there are none by its nature."""

    claim: Claim
    why: str
    is_expected: bool = False


def without_figures(claim: Claim, why: str, now: datetime) -> Unmeasured:
    """A claim of which the store knows nothing present. The kubelet measures file systems, and only while a pod on
    its node has them mounted (https://kubernetes.io/docs/reference/instrumentation/metrics/)."""
    if claim.phase != "Bound" or not claim.workload:
        return Unmeasured(claim, "no running pod mounts it", is_expected=True)
    if claim.mode != "Filesystem":
        return Unmeasured(claim, "a block device has no file system to measure", is_expected=True)
    if claim.created_at is not None and now - claim.created_at < FIRST_FIGURES:
        return Unmeasured(claim, "it is too new to have figures", is_expected=True)
    return Unmeasured(claim, why)


def volume_coverage(measured: int, unmeasured: Collection[Unmeasured], *, partial: bool) -> Coverage:
    """One gap for each reason. A partial answer may lack the copy of a series that is full, so it hides everything."""
    if partial:
        return Coverage(measured, (Gap("volumes", PARTIAL, basis=Basis.PARTLY),))
    return Coverage(measured, tuple(_gaps(measured, unmeasured)))


def _gaps(measured: int, unmeasured: Collection[Unmeasured]) -> Iterator[Gap]:
    reasons: dict[tuple[str, bool], list[Claim]] = defaultdict(list)
    for one in unmeasured:
        reasons[one.why, one.is_expected].append(one.claim)
    total = measured + sum(not one.is_expected for one in unmeasured)
    for (why, is_expected), claims in reasons.items():
        yield Gap(
            what="mounted volumes",
            why=why,
            names=tuple(f"{claim.namespace}/{claim.name}" for claim in claims),
            total=total,
            subjects=frozenset(claim.subject.key for claim in claims),
            is_expected=is_expected,
        )
