"""Jobs that failed for good, and CronJobs that are suspended, wrongly written or behind their schedule."""

from __future__ import annotations

from collections.abc import Iterator

from opscrew.cluster.conditions import find_condition, read_conditions
from opscrew.cluster.problem import Problem
from opscrew.cluster.schedules import Schedule, ScheduleError, parse_schedule
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.cluster.workloads import check_creation
from opscrew.reading_time import minute
from tools.kubernetes.fields import moment, number, text, truth
from tools.kubernetes.records import Resource


def check_jobs(snapshot: Snapshot) -> Iterator[Problem]:
    """Only the Job's own verdict counts: while it retries it is in progress, and suspended is somebody's wish."""
    for job in snapshot.of("Job"):
        if job.deleting_since or truth(job.spec, "suspend"):
            continue
        conditions = read_conditions(job.status)
        failed = find_condition(conditions, "Failed")
        if failed is not None and failed.status and not _was_superseded(snapshot, job):
            reason = failed.reason or "Failed"
            cause = f"The job failed for good: {failed.message or reason}"
            times = number(job.status, "failed")
            facts = (f"{times} failed pods",) if times else ()
            yield Problem("JOB_FAILED", job, reason, cause, facts=facts)
        elif not find_condition(conditions, "Complete"):
            yield from check_creation(snapshot, job)


def _was_superseded(snapshot: Snapshot, job: Resource) -> bool:
    """Whether a later run of the same CronJob succeeded: then the failure is history."""
    owner = snapshot.owner_of(job)
    if owner is None or owner.kind != "CronJob" or job.created_at is None:
        return False
    for other in snapshot.children_of(owner):
        complete = find_condition(read_conditions(other.status), "Complete")
        if complete and complete.status and other.created_at and other.created_at > job.created_at:
            return True
    return False


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


def _missed(snapshot: Snapshot, cron_job: Resource, schedule: Schedule) -> Iterator[Problem]:
    since = moment(cron_job.status, "lastScheduleTime") or cron_job.created_at
    if since is None or not snapshot.dated:
        return  # an undated file cannot tell that time has passed
    missed = schedule.runs_between(since, snapshot.now, limit=thresholds().missed_schedules)
    late = snapshot.now - missed[0] if missed else None
    if late is None or len(missed) < thresholds().missed_schedules:
        return
    if late > seconds(thresholds().missed_schedule_seconds) and not _is_running(cron_job):
        cause = f"It was due at {minute(missed[0])} and has not run since {minute(since)}."
        yield Problem("CRON_JOB_MISSED", cron_job, "MissedSchedule", cause)


def _is_running(cron_job: Resource) -> bool:
    """A run that still goes on holds the next ones back where the policy forbids two at once."""
    active = cron_job.status.get("active")
    return text(cron_job.spec, "concurrencyPolicy") in ("Forbid", "Replace") and bool(active)
