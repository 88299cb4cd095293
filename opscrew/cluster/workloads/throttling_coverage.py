"""Which workloads' throttling was measured: what findings about it, and "all clear", rest on.

cAdvisor counts CPU periods only of containers that have a CPU limit
(https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md), so a container without one needs none. That
it has none is believed where its CPU use is known: then its series are collected, and the counters are not missing by
accident.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from opscrew.cluster.snapshot import Snapshot
from opscrew.model.coverage import Basis, Coverage, Gap
from opscrew.model.subject import Subject
from tools.kubernetes.fields import mapping, mappings, moment, text
from tools.kubernetes.records import Resource

FIRST_FIGURES = timedelta(minutes=10)
"""A rate needs two scrapes of a container that runs; before that nothing is missing."""

THROTTLING = "CPU throttling"

Key = tuple[str, str, str]
"""Namespace, pod and container."""


@dataclass(frozen=True, slots=True)
class Running:
    """A container that should have series. ``is_new`` where it may have none yet."""

    key: Key
    subject: Subject
    is_limited: bool
    is_new: bool


def throttling_subject(cluster: str, namespace: str, workload: str) -> Subject:
    """Whom a finding about throttling is about; ``workload`` is "Deployment/shop" or "Pod/shop-1"."""
    kind, _, name = workload.partition("/")
    return Subject(system="kubernetes", kind=kind, scope="/".join(filter(None, (cluster, namespace))), name=name)


def throttling_coverage(
    snapshot: Snapshot, cluster: str, counted: Collection[Key], used: Collection[Key], *, partial: bool, where: str
) -> Coverage:
    """``counted`` are containers whose CPU periods the store knows, ``used`` those whose CPU use it knows; ``where``
    says which series were asked for."""
    if not snapshot.knows("Pod"):
        return Coverage(0, (Gap(THROTTLING, f"Pods: {snapshot.not_checked.get('Pod', 'not read')}"),))
    if partial:
        return Coverage(len(counted), (Gap(THROTTLING, "the metrics store answered in part", basis=Basis.PARTLY),))
    running = list(_running(snapshot, cluster))
    if not (counted or used) and any(not one.is_new for one in running):
        return Coverage(0, (Gap(THROTTLING, f"no container_cpu series of any container {where}"),))
    missing = [one for one in running if one.key not in counted and (one.is_limited or one.key not in used)]
    named = {one.subject: None for one in missing if one.is_limited and not one.is_new}
    quiet = {one.subject.key for one in missing if one.subject not in named}
    limited = {one.subject for one in running if one.is_limited and not one.is_new}
    gaps = []
    if named:
        why = f"no container_cpu_cfs_periods_total of their containers {where}"
        names = tuple(f"{one.scope.rpartition('/')[2]}/{one.name}" for one in named)
        keys = frozenset(one.key for one in named)
        gaps.append(Gap("workloads with a CPU limit", f"{why}, so {THROTTLING} is not seen", names, len(limited), keys))
    if quiet:
        gaps.append(Gap(THROTTLING, "no series yet", subjects=frozenset(quiet), is_expected=True))
    return Coverage(len(limited) - len(named), tuple(gaps))


def gaps_of_mixed(snapshot: Snapshot, cluster: str, mixed: Mapping[Key, str]) -> Iterator[Gap]:
    """``mixed`` are containers whose series cannot be told from another cluster's, and why: one gap for each reason."""
    reasons: dict[str, dict[Subject, str]] = {}
    for one in _running(snapshot, cluster) if mixed else ():
        if one.key in mixed:
            reasons.setdefault(mixed[one.key], {})[one.subject] = f"{one.key[0]}/{one.key[1]}"
    for why, named in reasons.items():
        keys = frozenset(subject.key for subject in named)
        yield Gap(f"containers for {THROTTLING}", why, tuple(named.values()), subjects=keys)


def _running(snapshot: Snapshot, cluster: str) -> Iterator[Running]:
    """Every container of pods that are not over, also those that wait between two crashes: they will run again."""
    for pod in snapshot.of("Pod"):
        if text(pod.status, "phase") in ("Succeeded", "Failed"):
            continue
        owner = snapshot.top_owner_of(pod)
        subject = throttling_subject(cluster, pod.namespace, f"{owner.kind}/{owner.name}")
        states = {text(one, "name"): mapping(one, "state") for one in mappings(pod.status, "containerStatuses")}
        for spec in mappings(pod.spec, "containers"):
            name = text(spec, "name")
            is_limited = bool(text(spec, "resources", "limits", "cpu"))
            is_new = _is_new(snapshot, pod, states.get(name, {}))
            yield Running((pod.namespace, pod.name, name), subject, is_limited, is_new)


def _is_new(snapshot: Snapshot, pod: Resource, state: Mapping[str, Any]) -> bool:
    """Whether it does not run, or has not run for long enough."""
    if text(pod.status, "phase") != "Running" or (state and "running" not in state):
        return True
    since = moment(state, "running", "startedAt") or moment(pod.status, "startTime") or pod.created_at
    return snapshot.age(since) < FIRST_FIGURES
