"""Custom resources of any operator that have failed, or have been at it for too long."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.custom import condition_types, tones
from opscrew.cluster.custom.health import is_called_good, judge
from opscrew.cluster.custom.sign import Health, Sign
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.runs import later_success
from opscrew.model.finding import Severity
from opscrew.reading_time import span
from tools.kubernetes.records import Resource

_OPEN = (Health.IN_PROGRESS, Health.UNCLEAR)


def check_custom_resources(snapshot: Snapshot) -> Iterator[Problem]:
    """A failure counts at once; work in progress and unexplained states only when they last too long."""
    for resource in snapshot.custom():
        sign = judge(resource)
        if sign.health is Health.FAILED:
            beginning, severity = "It has failed", None
            if later := later_success(snapshot, resource):
                beginning, severity = f"It has failed, and {later.name} has succeeded since", Severity.INFO
            yield _problem("CUSTOM_RESOURCE_FAILED", resource, sign, beginning, severity)
        elif sign.health in _OPEN and resource.deleting_since is None and not _owner_is_content(snapshot, resource):
            yield from _overdue(snapshot, resource, sign)


def _owner_is_content(snapshot: Snapshot, resource: Resource) -> bool:
    """Whether it was made by another custom resource that calls itself ready: a part that is asleep, or a replacement
    that is held ready, may be unready for ever, and its owner knows best whether that matters."""
    owner = snapshot.owner_of(resource)
    return owner is not None and owner.is_custom and is_called_good(owner)


def _overdue(snapshot: Snapshot, resource: Resource, sign: Sign) -> Iterator[Problem]:
    unclear = sign.health is Health.UNCLEAR
    since = sign.since or (resource.created_at if sign.since_creation else None)
    if not snapshot.dated and unclear and _is_outright(sign):
        yield _problem("CUSTOM_RESOURCE_STUCK", resource, sign, "It is not ready")
    if not snapshot.dated or since is None:
        return  # without both times nobody can say that it takes too long
    limits = thresholds()
    limit = limits.custom_unclear_seconds if unclear else limits.custom_progress_seconds
    if snapshot.age(since) > seconds(limit):
        yield _problem(
            "CUSTOM_RESOURCE_STUCK", resource, sign, f"It has not become ready for {span(snapshot.age(since))}"
        )


def _is_outright(sign: Sign) -> bool:
    """Whether the object itself says that it is not well, for a reason that is no word of waiting: that is told even
    if nobody can say since when. An end that has not come yet is none."""
    is_own = " " not in sign.where
    return is_own and not condition_types.is_end_type(sign.where) and tones.is_telling(sign.reason)


def _problem(code: str, resource: Resource, sign: Sign, beginning: str, severity: Severity | None = None) -> Problem:
    says = sign.message or (f"{sign.reason} ({sign.where})" if sign.reason else sign.where)
    facts = (f"{sign.where}: {sign.reason}" + (f" - {sign.message}" if sign.message else ""),)
    return Problem(code, resource, sign.reason or sign.where, f"{beginning}: {says}", facts=facts, severity=severity)
