"""Custom resources of any operator that have failed, or have been at it for too long."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.custom_health import is_called_good, judge
from opscrew.cluster.problem import Problem
from opscrew.cluster.runs import is_superseded
from opscrew.cluster.sign import Health, Sign
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from tools.kubernetes.records import Resource

_OPEN = (Health.IN_PROGRESS, Health.UNCLEAR)


def check_custom_resources(snapshot: Snapshot) -> Iterator[Problem]:
    """A failure counts at once; work in progress and unexplained states only when they last too long."""
    for resource in snapshot.custom():
        sign = judge(resource)
        if sign.health is Health.FAILED and not is_superseded(snapshot, resource):
            yield _problem("CUSTOM_RESOURCE_FAILED", resource, sign, "It has failed")
        elif sign.health in _OPEN and resource.deleting_since is None and not _owner_is_content(snapshot, resource):
            yield from _overdue(snapshot, resource, sign)


def _owner_is_content(snapshot: Snapshot, resource: Resource) -> bool:
    """Whether it was made by another custom resource that calls itself ready: a part that is asleep, or a replacement
    that is held ready, may be unready for ever, and its owner knows best whether that matters."""
    owner = snapshot.owner_of(resource)
    return owner is not None and owner.is_custom and is_called_good(owner)


def _overdue(snapshot: Snapshot, resource: Resource, sign: Sign) -> Iterator[Problem]:
    if not snapshot.dated or sign.since is None:
        return  # without both times nobody can say that it takes too long
    limits = thresholds()
    unclear = sign.health is Health.UNCLEAR
    limit = limits.custom_unclear_seconds if unclear else limits.custom_progress_seconds
    if snapshot.age(sign.since) > seconds(limit):
        minutes = int(snapshot.age(sign.since).total_seconds() // 60)
        yield _problem("CUSTOM_RESOURCE_STUCK", resource, sign, f"It has not become ready for {minutes} minutes")


def _problem(code: str, resource: Resource, sign: Sign, beginning: str) -> Problem:
    says = sign.message or sign.reason or sign.where
    facts = (f"{sign.where}: {sign.reason}" + (f" - {sign.message}" if sign.message else ""),)
    return Problem(code, resource, sign.reason or sign.where, f"{beginning}: {says}", facts=facts)
