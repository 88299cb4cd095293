"""Custom resources of operators nobody here has heard of, judged by convention alone."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.cluster.custom_health import judge
from opscrew.cluster.sign import Health
from tests.support.kubernetes_objects import ago, codes_of, condition, thing
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


def test_work_that_takes_too_long_is_told_and_only_with_a_date() -> None:
    slow = widget({"conditions": [condition("Ready", False, "Creating", since=ago(hours=3))]})
    assert codes_of(slow) == ["CUSTOM_RESOURCE_STUCK"]
    assert codes_of(slow, dated=False) == []
    slow["status"]["conditions"][0]["lastTransitionTime"] = ago(minutes=20)
    assert codes_of(slow) == []


@pytest.mark.parametrize(
    "status", [None, [], "Failed", 7, {"conditions": {"Ready": "False"}}, {"conditions": [None, 3]}]
)
def test_a_malformed_status_says_nothing(status: Any) -> None:
    assert health(status) is Health.FINE
