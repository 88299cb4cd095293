"""Deployments, sets, jobs and schedules: shortage against their own deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import ago, assessed, codes_of, condition, event, thing


def deployment(*conditions: dict[str, Any], ready: int = 0, wanted: int = 3, **spec: Any) -> dict[str, Any]:
    status = {"observedGeneration": 1, "replicas": wanted, "readyReplicas": ready, "conditions": list(conditions)}
    metadata = {"generation": 1}
    return thing("Deployment", version="apps/v1", metadata=metadata, spec={"replicas": wanted} | spec, status=status)


def test_a_rollout_past_its_deadline_is_critical_when_nothing_is_left() -> None:
    stuck = condition("Progressing", False, "ProgressDeadlineExceeded", "ReplicaSet has timed out progressing.")
    (found,) = assessed(deployment(stuck)).problems
    assert (found.code, found.reason, found.severity) == (
        "DEPLOYMENT_ROLLOUT_STUCK",
        "ProgressDeadlineExceeded",
        Severity.CRITICAL,
    )
    assert assessed(deployment(stuck, ready=2)).problems[0].severity is Severity.WARNING


def test_a_rollout_within_its_deadline_is_no_problem() -> None:
    rolling = condition("Progressing", True, "ReplicaSetUpdated")
    short = condition("Available", False, "MinimumReplicasUnavailable", since=ago(minutes=8))
    assert codes_of(deployment(rolling, short)) == []
    assert codes_of(deployment(rolling, short, progressDeadlineSeconds=120)) == ["DEPLOYMENT_UNAVAILABLE"]


def test_pods_lost_after_a_finished_rollout_are_told_sooner() -> None:
    done = condition("Progressing", True, "NewReplicaSetAvailable")
    short = condition("Available", False, "MinimumReplicasUnavailable", since=ago(minutes=8))
    assert codes_of(deployment(done, short)) == ["DEPLOYMENT_UNAVAILABLE"]


def test_a_paused_or_outdated_deployment_is_left_alone() -> None:
    stuck = condition("Progressing", False, "ProgressDeadlineExceeded")
    assert codes_of(deployment(stuck, paused=True)) == []
    outdated = deployment(stuck)
    outdated["metadata"]["generation"] = 2
    assert codes_of(outdated) == []


def test_a_quota_that_stops_pods_is_named() -> None:
    message = (
        'pods "shop-x" is forbidden: exceeded quota: team-quota, requested: pods=1, used: pods=10, limited: pods=10'
    )
    refused = condition("ReplicaFailure", True, "FailedCreate", message)
    (found,) = assessed(deployment(refused)).problems
    assert (found.code, found.reason) == ("QUOTA_EXCEEDED", "FailedCreate")
    assert "team-quota" in found.cause


def test_an_old_refusal_is_forgotten_once_all_pods_exist() -> None:
    replica_set = thing("ReplicaSet", version="apps/v1", spec={"replicas": 2}, status={"replicas": 0})
    refusal = event(replica_set, "FailedCreate", "admission webhook denied the request: no")
    assert codes_of(replica_set, refusal) == ["POD_CREATION_FAILED"]
    replica_set["status"] = {"replicas": 2, "readyReplicas": 2}
    assert codes_of(replica_set, refusal) == []


def test_a_stateful_set_is_short_only_after_a_while_and_names_what_is_missing() -> None:
    stateful_set = thing(
        "StatefulSet", version="apps/v1", spec={"replicas": 3, "serviceName": "db"}, status={"readyReplicas": 1}
    )
    assert codes_of(stateful_set) == ["STATEFUL_SET_UNAVAILABLE"]
    stateful_set["metadata"]["creationTimestamp"] = ago(minutes=5)
    assert codes_of(stateful_set) == []
    assert codes_of(stateful_set, thing("Service", "web")) == ["STATEFUL_SET_SERVICE_MISSING"]


def test_a_daemon_set_is_compared_with_its_nodes() -> None:
    daemon_set = thing("DaemonSet", version="apps/v1", status={"desiredNumberScheduled": 5, "numberReady": 4})
    assert codes_of(daemon_set) == ["DAEMON_SET_UNAVAILABLE"]
    daemon_set["status"]["numberReady"] = 5
    assert codes_of(daemon_set) == []


def job(name: str, outcome: str, *, hours: float = 2, owner: dict[str, Any] | None = None) -> dict[str, Any]:
    reason = "BackoffLimitExceeded" if outcome == "Failed" else ""
    metadata: dict[str, Any] = {"creationTimestamp": ago(hours=hours)}
    if owner is not None:
        metadata["ownerReferences"] = [{"kind": "CronJob", "name": owner["metadata"]["name"], "uid": "CronJob-shop"}]
    return thing(
        "Job", name, version="batch/v1", metadata=metadata, status={"conditions": [condition(outcome, True, reason)]}
    )


def test_a_job_fails_only_by_its_own_verdict() -> None:
    (found,) = assessed(job("import", "Failed")).problems
    assert (found.code, found.reason) == ("JOB_FAILED", "BackoffLimitExceeded")
    assert codes_of(thing("Job", version="batch/v1", status={"failed": 3, "active": 1})) == []
    suspended = job("import", "Failed") | {"spec": {"suspend": True}}
    assert codes_of(suspended) == []


def test_a_failure_that_a_later_run_made_good_is_history() -> None:
    schedule = cron_job("0 * * * *", ago(minutes=30))
    failed, done = job("shop-1", "Failed", hours=3, owner=schedule), job("shop-2", "Complete", hours=1, owner=schedule)
    assert codes_of(schedule, failed, done) == []
    assert codes_of(schedule, failed) == ["JOB_FAILED"]


def cron_job(schedule: str, last: str = "", **spec: Any) -> dict[str, Any]:
    status = {"lastScheduleTime": last} if last else {}
    return thing("CronJob", version="batch/v1", spec={"schedule": schedule} | spec, status=status)


@pytest.mark.parametrize(
    ("schedule", "last", "codes"),
    [
        ("*/10 * * * *", ago(minutes=10), []),
        ("*/10 * * * *", ago(hours=2), ["CRON_JOB_MISSED"]),
        ("0 3 * * *", ago(hours=9), []),
        ("0 3 * * *", ago(hours=33), ["CRON_JOB_MISSED"]),
        ("40 11 * * *", ago(hours=24), []),
        ("0 3 * * *", ago(days=5), ["CRON_JOB_MISSED"]),
        ("@hourly", ago(hours=6), ["CRON_JOB_MISSED"]),
        ("@every 5m", ago(hours=6), []),
        ("61 * * * *", "", ["CRON_JOB_INVALID"]),
        ("every day", "", ["CRON_JOB_INVALID"]),
        ("0 0 30 2 *", ago(days=400), []),
    ],
)
def test_a_schedule_is_missed_by_time_and_not_by_the_number_of_runs(schedule: str, last: str, codes: list[str]) -> None:
    assert codes_of(cron_job(schedule, last)) == codes


def test_a_run_that_still_goes_on_holds_the_next_ones_back() -> None:
    waiting = cron_job("*/10 * * * *", ago(hours=2), concurrencyPolicy="Forbid")
    waiting["status"]["active"] = [{"name": "shop-1"}]
    assert codes_of(waiting) == []


def test_a_suspended_schedule_is_a_hint() -> None:
    found = assessed(cron_job("* * * * *", ago(days=3), suspend=True))
    assert [finding.code for finding in found.findings] == ["CRON_JOB_SUSPENDED"]
    assert found.problems == []
