"""Findings of events whose object is not in the picture: a file of events alone, or a kind that nobody may read.

Where an object was read, its own state says how it is and its events only explain; here the events are all there is.
Which reasons mean what, and which later event says that it is over, is data (``event_faults.yaml``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from opscrew.cluster.events import event_line
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Key, Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.container_ends import core_of
from opscrew.cluster.workloads.image_pulls import pull_failure
from opscrew.cluster.workloads.probe_kills import killed_container, probe_kill
from opscrew.model.finding import Severity
from opscrew.strict_yaml import load_strictly
from tools.kubernetes.records import Event, Reference, Resource

FAULTS_FILE = Path(__file__).with_name("event_faults.yaml")

_SCALE_UP = ("TriggeredScaleUp", "Nominated")
_OFTEN = 5
"""A warning of a reason that nobody knows is a problem from here on; the first few may be a race."""
_POD_SUFFIX = re.compile(r"-[a-z0-9]{5}$|-\d+$")
# What the controllers of ReplicaSets and StatefulSets say of a pod that they have deleted.
_DELETED = re.compile(r"^(?:Deleted pod: |delete Pod )(?P<name>[\w.-]+)")
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class EventFault(BaseModel):
    """One entry of ``event_faults.yaml``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    reasons: tuple[str, ...]
    kinds: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    least: int = 1
    once: bool = False
    over: tuple[str, ...] = ()

    def fits(self, event: Event) -> bool:
        return (
            event.reason in self.reasons
            and (not self.kinds or event.subject.kind in self.kinds)
            and (not self.words or any(word in event.message.lower() for word in self.words))
        )


class EventFaults(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    faults: tuple[EventFault, ...]
    harmless: tuple[str, ...]
    gone: tuple[str, ...]


@cache
def event_faults() -> EventFaults:
    """Raises ``UsageError`` where the file was edited wrongly."""
    return load_strictly(FAULTS_FILE, EventFaults)


def check_unseen(snapshot: Snapshot) -> Iterator[Problem]:
    """One problem per object that events speak of and nobody read, the most telling one; pods of one workload that
    fail in the same way are one."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = defaultdict(list)
    for subject, events in _unseen(snapshot).items():
        if (problem := _problem(snapshot, subject, events)) is not None:
            kind, namespace, name = subject
            stem = _POD_SUFFIX.sub("", name) if kind == "Pod" else name
            groups[problem.code, kind, namespace, stem].append(problem)
    for problems in groups.values():
        yield _together(problems)


def _unseen(snapshot: Snapshot) -> dict[Key, list[Event]]:
    """Events within the window by object, oldest first, of objects that are not in the snapshot."""
    window = seconds(thresholds().event_window_seconds)
    kinds = _kinds_read(snapshot)
    unread = [event for event in snapshot.events if (event.subject.kind, "") not in kinds]
    if not unread:
        return {}
    seen = {(resource.kind, resource.namespace, resource.name) for resource in snapshot.resources.values()}
    found: dict[Key, list[Event]] = defaultdict(list)
    deleted = set(_deleted_pods(snapshot))
    for event in unread:
        key = (event.subject.kind, event.subject.namespace, event.subject.name)
        is_seen = key in seen or (key[0], "", key[2]) in seen  # some write a namespace where the object has none
        if not is_seen and event.subject.name and snapshot.age(event.last_seen) <= window:
            found[key].append(event)
    return {
        key: sorted(events, key=_when)
        for key, events in found.items()
        if key not in deleted
        if (key[0], key[1]) not in kinds or _is_news(snapshot, events)
    }


def _deleted_pods(snapshot: Snapshot) -> Iterator[Key]:
    for event in snapshot.events:
        if event.reason == "SuccessfulDelete" and (match := _DELETED.search(event.message)):
            yield "Pod", event.subject.namespace, match["name"]


def _kinds_read(snapshot: Snapshot) -> set[tuple[str, str]]:
    """(kind, namespace) of which an object that is missing is gone, and its events are of the past; no namespace where
    the whole cluster was asked. Events name a kind without its group."""
    if snapshot.listed is not None:
        return {(kind.partition(".")[0], "") for kind in snapshot.listed}
    return {(resource.kind, resource.namespace) for resource in snapshot.resources.values() if resource.namespace}


def _is_news(snapshot: Snapshot, events: Sequence[Event]) -> bool:
    """In a file, others of its kind are a sign that the object is gone; an event of this moment speaks against it."""
    return snapshot.age(max(_when(event) for event in events)) <= seconds(thresholds().settle_seconds)


def _problem(snapshot: Snapshot, subject: Key, events: Sequence[Event]) -> Problem | None:
    resource = Resource("v1", *subject, owners=tuple(_owners(snapshot, subject)))
    if _was_deleted(events):
        return None
    for fault in event_faults().faults:
        told = [event for event in events if fault.fits(event)]
        if told and _counts(snapshot, fault, told, events):
            return _known(snapshot, resource, fault, told, events)
    return _unknown(snapshot, resource, events)


def _owners(snapshot: Snapshot, subject: Key) -> Iterator[Reference]:
    """The workload that was read and must have made the pod, by the names that controllers give."""
    kind, namespace, name = subject
    if kind != "Pod":
        return
    stem = _POD_SUFFIX.sub("", name)
    makers = [(maker, stem) for maker in ("ReplicaSet", "StatefulSet", "DaemonSet", "Job")]
    for maker, its_name in (*makers, ("Deployment", stem.rpartition("-")[0])):
        if snapshot.find(maker, namespace, its_name) is not None:
            yield Reference(maker, namespace, its_name)


def _was_deleted(events: Sequence[Event]) -> bool:
    """Whether the last that was told of a pod is that it was stopped. One that is restarted is started again."""
    ends = [event for event in events if any(word in event.message.lower() for word in event_faults().gone)]
    return bool(ends) and not any(event.reason == "Started" and _when(event) > _when(ends[-1]) for event in events)


def _counts(snapshot: Snapshot, fault: EventFault, told: Sequence[Event], events: Sequence[Event]) -> bool:
    last = told[-1]
    if sum(event.count for event in told) < fault.least:
        return False
    if not fault.once and (not _lasts(snapshot, told) or _is_silent(snapshot, last)):
        return False
    if fault.code == "POD_UNSCHEDULABLE" and any(
        event.reason in _SCALE_UP and snapshot.age(event.last_seen) <= seconds(thresholds().pod_start_seconds)
        for event in events
    ):
        return False  # a node is on its way
    return not any(event.reason in fault.over and _when(event) >= _when(last) for event in events)


def _is_silent(snapshot: Snapshot, last: Event) -> bool:
    return snapshot.age(last.last_seen) > seconds(thresholds().event_silence_seconds)


def _lasts(snapshot: Snapshot, told: Sequence[Event]) -> bool:
    """One failure is often mended by the next try a few seconds later. A file without a date ends with its events."""
    first = min((event.first_seen for event in told if event.first_seen), default=None)
    return (
        not snapshot.dated
        or sum(event.count for event in told) > 1
        or snapshot.age(first) >= seconds(thresholds().settle_seconds)
    )


def _known(
    snapshot: Snapshot, resource: Resource, fault: EventFault, told: Sequence[Event], events: Sequence[Event]
) -> Problem:
    last = told[-1]
    cause, next_step = f"Its events say {last.reason}: {last.message.strip()}", ""
    name = killed_container(last.message)
    kill = probe_kill(snapshot, resource, name, {}, {}) if name else None
    if kill is not None:
        cause, next_step = (
            f"Container {name} is killed by its node again and again because {kill.words}.",
            kill.next_step,
        )
    elif fault.code == "POD_START_FAILED":
        cause = f"A container cannot be started: {core_of(last.message)}"
    elif fault.code == "POD_CRASH_LOOPING":
        cause = f"A container crashes each time it starts: {last.message.strip()}"
    elif fault.code == "POD_IMAGE_PULL_FAILED":
        telling = max(told, key=lambda event: len(event.message))
        why = pull_failure([telling.message])
        cause = f"Its image cannot be pulled{f', since {why.cause}' if why else ''}: {telling.message.strip()}"
        next_step = why.next if why else ""
    facts = tuple(event_line(event) for event in reversed(events) if event.type == "Warning" or event in told)[:3]
    return Problem(fault.code, resource, last.reason, cause, facts=facts, next_step=next_step)


def _unknown(snapshot: Snapshot, resource: Resource, events: Sequence[Event]) -> Problem | None:
    known = {reason for fault in event_faults().faults for reason in fault.reasons} | set(event_faults().harmless)
    told = [event for event in events if event.type == "Warning" and event.reason not in known]
    if not told or not _lasts(snapshot, told) or _is_silent(snapshot, told[-1]):
        return None
    last = told[-1]
    severity = None if sum(event.count for event in told) >= _OFTEN else Severity.INFO
    cause = f"Its events say {last.reason}: {last.message.strip()}"
    facts = tuple(event_line(event) for event in reversed(told))[:3]
    return Problem("EVENT_WARNINGS", resource, last.reason, cause, facts=facts, severity=severity)


def _together(problems: Sequence[Problem]) -> Problem:
    first = problems[0]
    if len(problems) == 1:
        return first
    names = ", ".join(problem.resource.name for problem in problems[:5])
    cause = f"{len(problems)} pods ({names}{', ...' if len(problems) > 5 else ''}): {first.cause}"
    return Problem(
        first.code,
        first.resource,
        first.reason,
        cause,
        facts=first.facts,
        severity=first.severity,
        next_step=first.next_step,
    )


def _when(event: Event) -> datetime:
    return event.last_seen or _LONG_AGO
