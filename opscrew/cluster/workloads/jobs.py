"""Jobs that failed for good, and CronJobs that are suspended, wrongly written or behind their schedule."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads.cron import Schedule, ScheduleError, parse_schedule
from opscrew.cluster.workloads.replicas import check_creation
from opscrew.cluster.workloads.runs import has_ended_well, later_success
from opscrew.reading_time import minute
from tools.kubernetes.fields import mappings, moment, number, text, truth
from tools.kubernetes.records import Resource

_NEXT_STEPS = {
    "DeadlineExceeded": "Find out what it waited for or worked on so long; raise activeDeadlineSeconds if need be.",
    "FailedIndexes": "Read the log of a pod of each failed index (status.failedIndexes) and mend the cause.",
}
"""By the Job's own reason; for the others the log of the last pod tells more."""
_MOST_COUNTED = 10
"""Runs that are counted one by one; more are "at least" so many."""


def check_jobs(snapshot: Snapshot) -> Iterator[Problem]:
    """Only the Job's own verdict counts: while it retries it is in progress, and suspended is somebody's wish."""
    for job in snapshot.of("Job"):
        if job.deleting_since or truth(job.spec, "suspend"):
            continue
        conditions = read_conditions(job.status)
        failed = find_condition(conditions, "Failed")
        if failed is not None and failed.status and later_success(snapshot, job) is None:
            reason = failed.reason or "Failed"
            cause = f"The job failed for good: {failed.message or reason}"
            times = number(job.status, "failed")
            facts = (f"{times} failed pods",) if times else ()
            yield Problem("JOB_FAILED", job, reason, cause, facts=facts, next_step=_NEXT_STEPS.get(reason, ""))
        elif not find_condition(conditions, "Complete"):
            yield from check_creation(snapshot, job)


def check_cron_jobs(snapshot: Snapshot) -> Iterator[Problem]:
    """A suspended one is worth knowing; one whose time has passed without a run is a problem."""
    for cron_job in snapshot.of("CronJob"):
        text_of_schedule = text(cron_job.spec, "schedule")
        deadline = number(cron_job.spec, "startingDeadlineSeconds")
        if truth(cron_job.spec, "suspend"):
            yield Problem("CRON_JOB_SUSPENDED", cron_job, "Suspended", "Its schedule is suspended; nothing runs.")
            continue
        if deadline is not None and deadline < 0:
            cause = f"startingDeadlineSeconds is {deadline}, so no run is ever in time."
            yield Problem("CRON_JOB_INVALID", cron_job, "InvalidDeadline", cause)
        if not text_of_schedule or text_of_schedule.startswith("@every "):
            continue  # an interval counts from the controller's start, which nobody else knows
        try:
            schedule = parse_schedule(text_of_schedule, text(cron_job.spec, "timeZone"))
        except ScheduleError as problem:
            yield Problem("CRON_JOB_INVALID", cron_job, "InvalidSchedule", f"Its schedule is not valid: {problem}")
            continue
        yield from _missed(snapshot, cron_job, schedule)
        yield from _without_success(snapshot, cron_job, schedule)


def _missed(snapshot: Snapshot, cron_job: Resource, schedule: Schedule) -> Iterator[Problem]:
    since = moment(cron_job.status, "lastScheduleTime") or cron_job.created_at
    if since is None or not snapshot.dated:
        return  # an undated file cannot tell that time has passed
    missed = schedule.runs_between(since, snapshot.now, limit=_MOST_COUNTED)
    if not missed or snapshot.now - missed[0] <= seconds(thresholds().missed_schedule_seconds):
        return
    if _is_running(cron_job):
        yield from _blocked(snapshot, cron_job, missed[0])
        return
    times = f"at least {len(missed)} times" if len(missed) == _MOST_COUNTED else f"{len(missed)} times"
    again = f", and {times} since" if len(missed) > 1 else ""
    last = moment(cron_job.status, "lastScheduleTime")
    cause = f"It was due at {minute(missed[0])}{again}, and has not run{f' since {minute(last)}' if last else ' yet'}."
    deadline = number(cron_job.spec, "startingDeadlineSeconds")
    next_step = (
        f"Raise startingDeadlineSeconds ({deadline}): a run that cannot begin within it is skipped; then look whether "
        "the controller manager was down at that time."
        if deadline is not None
        else ""
    )
    yield Problem("CRON_JOB_MISSED", cron_job, "MissedSchedule", cause, next_step=next_step)


def _blocked(snapshot: Snapshot, cron_job: Resource, due: datetime) -> Iterator[Problem]:
    """A run that still goes on and that no other may run beside: for a day that is its own affair."""
    if snapshot.now - due <= seconds(thresholds().blocked_schedule_seconds):
        return
    runs = ", ".join(text(run, "name") for run in mappings(cron_job.status, "active"))
    cause = f"The run {runs} still goes on and holds back every run since {minute(due)}."
    next_step = "See what that run waits for; delete its Job if it hangs, and give it activeDeadlineSeconds."
    yield Problem("CRON_JOB_MISSED", cron_job, "RunStillActive", cause, next_step=next_step)


def _without_success(snapshot: Snapshot, cron_job: Resource, schedule: Schedule) -> Iterator[Problem]:
    """Runs begin and none of them succeeds. Where failed Jobs are not kept, the CronJob's own status is the only trace;
    where one is there, it tells more."""
    status = cron_job.status
    last, success = moment(status, "lastScheduleTime"), moment(status, "lastSuccessfulTime")
    since = success or cron_job.created_at
    if last is None or since is None or since >= last or (success is None and not _writes_success(snapshot)):
        return
    if snapshot.dated and snapshot.age(since) <= seconds(thresholds().missed_schedule_seconds):
        return
    for job in snapshot.children_of(cron_job):
        failed = find_condition(read_conditions(job.status), "Failed")
        if (failed is not None and failed.status) or (success is None and has_ended_well(job)):
            return
    # What still runs may yet succeed.
    begun = len(schedule.runs_between(since, last, limit=_MOST_COUNTED)) - len(mappings(status, "active"))
    if begun < 1:
        return
    never = "No run has ever succeeded" if success is None else f"No run has succeeded since {minute(success)}"
    kept = number(cron_job.spec, "failedJobsHistoryLimit")
    next_step = (
        "Set failedJobsHistoryLimit to 1 or more (it is 0), so that a failed run and its log can be read; then start "
        "one by hand (kubectl create job --from=cronjob/NAME)."
        if kept == 0
        else ""
    )
    cause = f"{never}; the last one began at {minute(last)}."
    yield Problem("CRON_JOB_NOT_SUCCEEDING", cron_job, "NoSuccessfulRun", cause, next_step=next_step)


def _writes_success(snapshot: Snapshot) -> bool:
    """Whether this cluster writes down when a run succeeded (Kubernetes 1.21 and later): then nothing means never."""
    return any(moment(other.status, "lastSuccessfulTime") for other in snapshot.of("CronJob"))


def _is_running(cron_job: Resource) -> bool:
    """A run that still goes on holds the next ones back where the policy forbids two at once."""
    active = cron_job.status.get("active")
    return text(cron_job.spec, "concurrencyPolicy") in ("Forbid", "Replace") and bool(active)
