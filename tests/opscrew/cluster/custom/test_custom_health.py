"""Custom resources of operators nobody here has heard of, judged by convention alone."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.cluster.custom.health import judge
from opscrew.cluster.custom.sign import Health
from tests.support.kubernetes_objects import ago, codes_of, condition, owned_by, thing
from tools.kubernetes.records import read_resource


def widget(status: Any = None, **fields: Any) -> dict[str, Any]:
    return thing("Widget", version="factory.example.org/v1", status=status, **fields)


def health(status: Any = None, **fields: Any) -> Health:
    return judge(read_resource(widget(status, **fields))).health


@pytest.mark.parametrize(
    "conditions",
    [
        [condition("Ready", True)],
        [condition("Ready", True), condition("Degraded", False), condition("Stalled", False)],
        [condition("Available", True), condition("Progressing", False)],
        [{"type": "Ready", "status": True}],
        [],
    ],
)
def test_what_is_as_it_should_be_is_fine(conditions: list[dict[str, Any]]) -> None:
    assert health({"conditions": conditions}) is Health.FINE


@pytest.mark.parametrize(
    "one",
    [
        condition("Ready", False, "ProvisioningFailed", "the disk could not be made"),
        condition("Ready", False, "", "dial tcp: connection refused"),
        condition("Synced", False, "ReconcileError"),
        condition("Degraded", True, "TooFewMembers"),
        condition("Stalled", True, "Whatever"),
        condition("NotReady", True, "", "boom"),
        condition("NodeNotReady", True, "", "boom"),
        condition("FailureDetectorReady", False, "", "cannot start"),
        condition("ErrorDetected", True, "Whatever"),
        condition("Ready", False, "SecretNotFound", "no secret of that name"),
        condition("Ready", False, "Odd", "nobody knows", severity="Error"),
        condition("Available", "Degraded", "SomePodsNotReady", "one shard is short"),  # a state word for the status
        {"type": "SyncError", "message": "the manifest was refused"},  # no status at all
        condition("ActivitiesHalted", True, "ParentMissing"),
        condition("ImageSetNotFound", True),
        condition("NoMatchingInstance", True, "EmptyAnswer"),
        condition("Running", False, "Error", "the import ended early"),
        condition("Ready", False, "NotReady", "node n1 is down"),
        condition("ClusterAvailable", False, "NoEndpointsAvailable", "the service has no endpoints"),
    ],
)
def test_a_failure_is_told_whatever_the_operator_calls_it(one: dict[str, Any]) -> None:
    assert health({"conditions": [one]}) is Health.FAILED


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": [condition("Ready", False, "Creating", "waiting for the disk")]},
        {"conditions": [condition("Ready", "Unknown", "Odd")]},
        {"conditions": [condition("Ready", False)]},
        {"conditions": [condition("Ready", False, "WaitingForNode", severity="Info")]},
        {"conditions": [condition("Reconciling", True), condition("Ready", False, "DiskNotFound")]},
        {"conditions": [condition("Synced", False, "", "in state 'creating', cannot be modified until 'available'")]},
        {"phase": "Failing over"},
        {"phase": "NotReady"} | {"conditions": [condition("Ready", "Unknown")]},
        {"phase": "Provisioning"},
        {"state": "PENDING_RERUN"},
    ],
)
def test_work_in_progress_is_not_a_failure(status: dict[str, Any]) -> None:
    assert health(status) is Health.IN_PROGRESS


def test_a_retry_is_no_progress() -> None:
    retrying = [
        condition("Reconciling", True, "ProgressingWithRetry"),
        condition("Ready", False, "TokenNotFound", "no such secret"),
    ]
    assert health({"conditions": retrying}) is Health.FAILED


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Failed"},
        {"state": "ConfigError"},
        {"health": "red"},
        {"sync": {"status": "OutOfSync"}, "health": {"status": "Degraded"}},
        {"jobResult": {"status": "canceled"}},
        {"connectorStatus": {"connector": {"state": "RUNNING"}, "tasks": [{"id": 0, "state": "FAILED"}]}},
        {"state": "detached", "robustness": "faulted"},
        {"valid": False},
        {"readyToUse": False, "error": {"message": "the snapshot could not be taken"}},
        {"byPod": [{"id": "a", "errors": [{"code": "ingest", "message": "cannot be parsed"}]}]},
        {"phase": "NotReady", "message": "error while opening the repository"},
        {"compliant": "NonCompliant"},
        {"experimentStatus": {"phase": "Completed", "verdict": "Fail"}},
        {"failureMessage": "instance was terminated by the cloud"},
        {"listeners": [{"name": "web", "conditions": [condition("Accepted", False, "PortUnavailable")]}]},
    ],
)
def test_states_count_down_to_the_second_level(status: dict[str, Any]) -> None:
    assert health(status) is Health.FAILED


@pytest.mark.parametrize(
    "one",
    [
        condition("Active", False, "ScalerNotActive", "triggers are not active"),
        condition("Fallback", False, "NoFallbackFound", "no fallbacks are active"),
        condition("Upgradeable", False, "Odd"),
        condition("LiveMigratable", False, "DisksNotShared", "cannot migrate"),
        condition("OverlappingNames", False, "NoConflicts"),
        condition("NoWarnings", False, "RequestAndLimitDiffer", "they should be equal"),
        condition("NoWarnings", True, "NoWarnings"),
        condition("NoErrors", True),
        condition("FailureDetectorReady", True),
        condition("DeadLetterSinkResolved", True, "DeadLetterSinkNotConfigured"),
        condition("ErrorsResolved", True),
        condition("ErrorFree", True),
        condition("ImageSetNotFound", False, "ImageSetFound"),
        condition("Drifted", True, "TemplateChanged"),
        condition("AutoscalingEnabled", False, "NotWanted"),
    ],
)
def test_a_condition_that_promises_nothing_may_be_false(one: dict[str, Any]) -> None:
    assert health({"conditions": [condition("Ready", True), one]}) is Health.FINE


@pytest.mark.parametrize(
    "status",
    [
        {"phase": "Succeeded", "nodes": {"first": {"phase": "Failed"}, "again": {"phase": "Succeeded"}}},
        {"status": "Completed", "errors": ["a while ago something timed out"]},
        {"phase": "Ready", "failurePolicy": "Failed", "logLevel": "error", "lastResultOfBackup": "failed"},
        {"phase": "Ready", "environments": [{"checks": [{"phase": "failed"}], "active": {"name": "a"}}]},
        {"phase": "NotReady"},
    ],
)
def test_the_past_policies_and_single_steps_are_no_state(status: dict[str, Any]) -> None:
    assert health(status) is Health.FINE


@pytest.mark.parametrize(
    "state", ["in-use", "None", "N/A", "active", "RUNNABLE", "ACTIVE", "Succeeded", "Bound", "1/1"]
)
def test_a_state_may_sound_worse_than_it_is(state: str) -> None:
    assert health({"state": state}) < Health.IN_PROGRESS


@pytest.mark.parametrize(
    "state",
    ["modifying", "HEALING", "REBOOTING_BROKER", "snapshotting", "MAINTENANCE", "PENDING_CREATE", "shutting-down"],
)
def test_states_of_clouds_at_work_are_no_failure(state: str) -> None:
    assert health({"instanceStatus": state}) < Health.FAILED


@pytest.mark.parametrize(
    "state",
    ["DEGRADED", "CREATE_FAILED", "incompatible-network", "restore-error", "INACCESSIBLE_ENCRYPTION_CREDENTIALS"],
)
def test_states_of_broken_clouds_are(state: str) -> None:
    assert health({"instanceStatus": state}) is Health.FAILED


def test_waiting_for_another_is_no_failure() -> None:
    waiting = condition("Ready", False, "Waiting", "another operation holds the lock")
    assert health({"conditions": [waiting]}) is Health.IN_PROGRESS
    taken = condition("Ready", False, "", "the disk is bound to another claim")
    assert health({"conditions": [taken]}) is Health.FAILED


def test_history_is_no_state() -> None:
    assert health({"phase": "Running", "history": [{"state": "Failed"}], "previousState": "Failed"}) < Health.FAILED


@pytest.mark.parametrize(
    "fields",
    [
        {"spec": {"paused": True}},
        {"spec": {"suspend": True}},
        {"metadata": {"annotations": {"factory.example.org/paused": "true"}}},
    ],
)
def test_what_somebody_put_on_hold_is_no_problem(fields: dict[str, Any]) -> None:
    assert health({"phase": "Failed"}, **fields) is Health.ON_HOLD


def test_a_status_of_an_older_spec_decides_nothing() -> None:
    status = {"observedGeneration": 3, "conditions": [condition("Ready", False, "Failed")]}
    assert health(status, metadata={"generation": 4}) is Health.IN_PROGRESS
    assert health(status, metadata={"generation": 3}) is Health.FAILED
    # A request to delete counts as a new generation, and nobody acknowledges it.
    gone = {"generation": 4, "deletionTimestamp": ago(minutes=1)}
    assert health(status, metadata=gone) is Health.FAILED


def test_a_controller_that_has_not_looked_for_hours_is_told() -> None:
    def managed(wished: str, answered: str) -> dict[str, Any]:
        entries = [
            {"manager": "kubectl", "time": wished},
            {"manager": "factory", "subresource": "status", "time": answered},
        ]
        status = {"observedGeneration": 3, "conditions": [condition("Ready", True)]}
        return widget(status, metadata={"generation": 4, "managedFields": entries})

    assert codes_of(managed(ago(hours=2), ago(days=1))) == ["CUSTOM_RESOURCE_STUCK"]
    assert codes_of(managed(ago(minutes=20), ago(days=1))) == []
    # It has written its status since, and only does not count generations.
    assert codes_of(managed(ago(hours=2), ago(hours=1))) == []


def test_work_that_takes_too_long_is_told_and_only_with_a_date() -> None:
    slow = widget({"conditions": [condition("Ready", False, "Creating", since=ago(hours=3))]})
    assert codes_of(slow) == ["CUSTOM_RESOURCE_STUCK"]
    assert codes_of(slow, dated=False) == []
    slow["status"]["conditions"][0]["lastTransitionTime"] = ago(minutes=20)
    assert codes_of(slow) == []


def test_an_owner_that_calls_itself_ready_answers_for_what_its_parts_leave_open() -> None:
    owner = thing(
        "Machine", "whole", version="factory.example.org/v1", status={"conditions": [condition("Ready", True)]}
    )
    since = ago(hours=9)
    part = widget(
        {"conditions": [condition("Ready", False, "SomeReason", "nobody can say", since=since)]},
        metadata={"ownerReferences": [owned_by(owner)]},
    )
    assert codes_of(part) == ["CUSTOM_RESOURCE_STUCK"]
    assert codes_of(part, owner) == []
    owner["status"]["conditions"] = [condition("Ready", "Unknown", "Odd", since=ago(minutes=1))]
    assert codes_of(part, owner) == ["CUSTOM_RESOURCE_STUCK"]
    # What has failed is told whatever the owner thinks of it.
    owner["status"]["conditions"] = [condition("Ready", True)]
    part["status"]["conditions"] = [condition("Ready", False, "DiskFailed", since=since)]
    assert codes_of(part, owner) == ["CUSTOM_RESOURCE_FAILED"]


@pytest.mark.parametrize(
    "one",
    [
        condition("RecentBackup", "Unknown", "ControllerStarted", since=ago(hours=9)),
        condition("Encrypted", False, "EncryptionDisabled", since=ago(hours=9)),
        condition("RetrievedUpdates", False, "NoChannel", "nobody has chosen a channel", since=ago(hours=9)),
        condition("PoolHealthy", "Unknown", "AwaitingReconciliation", since=ago(hours=9)),
        condition("CronAvailable", False, "CronNotAvailable", "another strategy is used", since=ago(hours=9)),
    ],
)
def test_what_ready_sums_up_stays_quiet(one: dict[str, Any]) -> None:
    assert codes_of(widget({"conditions": [condition("Ready", True), one]})) == []


def test_a_log_of_states_is_judged_by_its_latest_entry() -> None:
    log = [condition("error", True, "ReconcileError"), condition("starting", True), condition("ready", True)]
    assert health({"state": "ready", "conditions": log}) is Health.FINE
    assert health({"state": "error", "conditions": log}) is Health.FAILED
    # What has come up since is no past.
    worse = [condition("Ready", True), condition("Degraded", True, "PodsLost", since=ago(minutes=2))]
    assert health({"phase": "Ready", "conditions": worse}) is Health.FAILED
    # Without a state that names one of them they all speak of now.
    assert health({"conditions": [condition("Error", True, "Broken"), condition("Ready", True)]}) is Health.FAILED
    twice = [condition("Synced", False, "SyncFailed"), condition("Synced", True)]
    assert health({"conditions": twice}) is Health.FINE


def test_a_step_that_ended_does_not_speak_for_a_whole_that_goes_on() -> None:
    failed = {"phase": "Failed", "finishedAt": ago(minutes=3)}
    assert health({"phase": "Running", "nodes": {"a": failed}}) is Health.IN_PROGRESS
    assert health({"phase": "Running", "nodes": {"a": {"phase": "Failed"}}}) is Health.FAILED
    assert health({"phase": "Failed", "nodes": {"a": failed}}) is Health.FAILED


@pytest.mark.parametrize("name", ["pause-reconciliation", "PauseReconcile", "suspended"])
def test_an_annotation_may_ask_for_a_hold(name: str) -> None:
    noted = {"annotations": {f"factory.example.org/{name}": "true"}}
    assert health({"phase": "Failed"}, metadata=noted) is Health.ON_HOLD
    noted = {"annotations": {f"factory.example.org/{name}": "false"}}
    assert health({"phase": "Failed"}, metadata=noted) is Health.FAILED


@pytest.mark.parametrize(
    "status", [None, [], "Failed", 7, {"conditions": {"Ready": "False"}}, {"conditions": [None, 3]}]
)
def test_a_malformed_status_says_nothing(status: Any) -> None:
    assert health(status) is Health.FINE


@pytest.mark.parametrize("message", ["finished with 0 errors", "Failed: 0, Cancelled 0", "a timeout of 5m was given"])
def test_a_count_of_none_is_no_failure(message: str) -> None:
    assert health({"conditions": [condition("Ready", False, "Waiting", message)]}) is Health.IN_PROGRESS
    assert health({"conditions": [condition("Ready", False, "", message)]}) is not Health.FAILED


def test_ten_errors_are_not_none() -> None:
    assert health({"conditions": [condition("Ready", False, "", "finished with 10 errors")]}) is Health.FAILED
    assert health({"conditions": [condition("Ready", False, "", "failed: 0.5 of all")]}) is Health.FAILED
