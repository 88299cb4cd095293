"""Runs of one series: Jobs, and custom resources that begin, end and are made again (Backup, PipelineRun, Workflow).

What failed and was run again with success since is history. Nobody tells which runs belong together in one way, so it
is the label that names what is run, else the owner where that is a schedule, else the owner and the name without what
makes it unique.
"""

from __future__ import annotations

import re
from datetime import datetime

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.custom.field_names import is_end_time
from opscrew.cluster.custom.status_fields import own_states
from opscrew.cluster.custom.tones import is_good_end
from opscrew.cluster.custom.vocabulary import word_lists, words_of
from opscrew.cluster.snapshot import Snapshot
from tools.kubernetes.fields import moment
from tools.kubernetes.records import Resource

_GOOD_TYPES = ("Complete", "Completed", "Succeeded")
_SCHEDULE = re.compile(r"Cron|Schedul")
"""In the kind of an owner that makes the same run again and again."""
# What is put behind a name to make it unique: a date, a time, a counter, or Kubernetes' five letters, which hold no
# vowel and neither 0, 1 nor 3, so that "-build" and "-tests" are no suffix.
_UNIQUE = re.compile(r"[-.](?:\d{4}-\d\d-\d\d\S*|\d[\dTZ:]*|[bcdfghjklmnpqrstvwxz2456789]{5})$")


def later_success(snapshot: Snapshot, run: Resource) -> Resource | None:
    """The newest run of the same series that was made later and ended well. One that began before this one had ended
    ran beside it, and says nothing about it."""
    if run.created_at is None:
        return None
    after, series = _ended_at(run) or run.created_at, _series(run)
    good = [
        (other.created_at, other.name, other)
        for other in snapshot.of(run.key[0])
        if other is not run and other.created_at is not None and other.created_at >= after
        if _series(other) == series and has_ended_well(other)
    ]
    return max(good)[2] if good else None


def has_ended_well(run: Resource) -> bool:
    """By the conditions of runs, or by a state word such as Completed."""
    conditions = read_conditions(run.status)
    found = (find_condition(conditions, kind) for kind in _GOOD_TYPES)
    return any(condition is not None and condition.status for condition in found) or any(
        is_good_end(word) for _, word in own_states(run.status)
    )


def _series(run: Resource) -> tuple[object, ...]:
    if labels := tuple(sorted((key, value) for key, value in run.labels.items() if _names_series(key))):
        return run.namespace, labels
    owner = run.owners[0] if run.owners else None
    stem = _UNIQUE.sub("", run.name)
    if owner is None:
        return run.namespace, "", stem
    return run.namespace, f"{owner.kind}/{owner.name}", "" if _SCHEDULE.search(owner.kind) else stem


def _names_series(label: str) -> bool:
    """Whether the label names what is run again and again, and not the one run ("tekton.dev/pipelineRun")."""
    words, lists = words_of(label.rpartition("/")[2]), word_lists()
    return lists["series_labels"].any_of(words) and not lists["one_run_labels"].holds(words[-1])


def _ended_at(run: Resource) -> datetime | None:
    failed = find_condition(read_conditions(run.status), "Failed")
    times = [moment(run.status, name) for name in run.status if is_end_time(name)]
    return next((time for time in (*times, failed.since if failed else None) if time is not None), None)
