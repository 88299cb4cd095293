"""Runs of one series (backups of a schedule, runs of a pipeline): a failed one is history once a later one did well."""

from __future__ import annotations

import re

from opscrew.cluster import field_names
from opscrew.cluster.custom_health import judge
from opscrew.cluster.sign import Health
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.vocabulary import word_lists, words_of
from tools.kubernetes.records import Resource

# "daily-20250523": a number that long is a date or a time.
_DATED = re.compile(r"^(?P<stem>.+?)-\d{6,}$")

Series = tuple[str, str, str, str]


def later_success(snapshot: Snapshot, run: Resource) -> Resource | None:
    """The newest run of its series that was made later, has ended, and went well."""
    series = _series_of(run)
    if series is None or run.created_at is None or not _has_ended(run):
        return None
    good = [
        (other.created_at, other.name, other)
        for other in snapshot.of(run.key[0])
        if other.created_at is not None and other.created_at > run.created_at and _series_of(other) == series
        if _has_ended(other) and judge(other).health is Health.FINE
    ]
    return max(good)[2] if good else None


def _series_of(run: Resource) -> Series | None:
    """Its namespace, and the owner, the label or the beginning of the name that runs of one series share."""
    for owner in run.owners:
        return (run.namespace, "owner", owner.kind, owner.name)
    for key, value in sorted(run.labels.items()):
        if word_lists()["series_labels"].any_of(words_of(key.rpartition("/")[2])):
            return (run.namespace, "label", key, value)
    stem = _DATED.match(run.name)
    return (run.namespace, "name", "", stem["stem"]) if stem else None


def _has_ended(run: Resource) -> bool:
    return any(field_names.is_end_time(name) and bool(value) for name, value in run.status.items())
