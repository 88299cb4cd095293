"""Pods and their containers: what counts, what does not yet, and which reason is named."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.kubernetes_objects import ago, assessed, codes_of, condition, container, event, pod, ready, thing


def test_a_healthy_pod_is_no_finding() -> None:
    healthy = pod(conditions=ready(), containerStatuses=container(ready=True))
    assert assessed(healthy).findings == []


@pytest.mark.parametrize(
    ("waiting", "code"),
    [
        ("CrashLoopBackOff", "POD_CRASH_LOOPING"),
        ("ImagePullBackOff", "POD_IMAGE_PULL_FAILED"),
        ("ErrImagePull", "POD_IMAGE_PULL_FAILED"),
        ("ErrImageNeverPull", "POD_IMAGE_PULL_FAILED"),
        ("InvalidImageName", "POD_IMAGE_PULL_FAILED"),
        ("CreateContainerConfigError", "POD_START_FAILED"),
        ("RunContainerError", "POD_START_FAILED"),
        ("SomethingNewError", "POD_START_FAILED"),
    ],
)
def test_a_waiting_reason_is_named_as_kubernetes_names_it(waiting: str, code: str) -> None:
    (found,) = assessed(pod(containerStatuses=container(4, waiting=waiting))).problems
    assert (found.code, found.reason, found.aspect) == (code, waiting, "app")


def test_a_crash_for_memory_names_the_limit() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(minutes=3)}}
    crashing = pod(containerStatuses=container(9, waiting="CrashLoopBackOff", lastState=ended))
    crashing["spec"]["containers"][0]["resources"] = {"limits": {"memory": "128Mi"}}
    (found,) = assessed(crashing).problems
    assert (found.code, found.reason) == ("CONTAINER_OOM_KILLED", "CrashLoopBackOff")
    assert "128Mi" in found.cause


def test_a_pod_that_runs_again_after_running_out_of_memory_is_still_told() -> None:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(hours=3)}}
    running = pod(conditions=ready(), containerStatuses=container(1, lastState=ended, ready=True))
    assert codes_of(running) == ["CONTAINER_OOM_KILLED"]
    ended["terminated"]["finishedAt"] = ago(days=3)
    assert codes_of(running) == []


@pytest.mark.parametrize(("restarts", "minutes", "found"), [(8, 20, True), (3, 20, False), (8, 90, False)])
def test_a_burst_of_restarts_needs_many_and_a_late_one(restarts: int, minutes: float, found: bool) -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "finishedAt": ago(minutes=minutes)}}
    running = pod(conditions=ready(), containerStatuses=container(restarts, lastState=ended, ready=True))
    assert codes_of(running) == (["POD_RESTARTING"] if found else [])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("manifest unknown", "does not exist"),
        ("429 Too Many Requests - toomanyrequests: You have reached your pull rate limit", "limits how often"),
        ("pull access denied, repository may require authorization", "refuses the credentials"),
        ("dial tcp: lookup registry.test: no such host", "cannot be reached"),
        ("x509: certificate signed by unknown authority", "certificate"),
        ("no match for platform in manifest", "architecture"),
        ('manifest tagged by "v503" is not found', "does not exist"),
        ("failed commit on ref: unexpected commit digest sha256:40140340, expected sha256:50350250", "announced"),
        ("mediaType in manifest should be application/vnd.oci not application/vnd.docker", "format"),
        ("dial tcp: lookup registry.test on 10.0.0.2:53: Try again", "cannot be reached"),
        ("received unexpected HTTP status: 503 Service Unavailable", "error of its own"),
        ("remote error: tls: handshake failure", "cannot be reached"),
    ],
)
def test_an_image_pull_is_told_by_cause_from_the_event(message: str, words: str) -> None:
    waiting = pod(phase="Pending", containerStatuses=container(waiting="ImagePullBackOff", message="Back-off"))
    (found,) = assessed(waiting, event(waiting, "Failed", message)).problems
    assert words in found.cause


@pytest.mark.parametrize(
    "message",
    [
        "Container app failed liveness probe, will be restarted",
        "Killing container with id docker://app:Container failed liveness probe.. Container will be killed.",
    ],
)
def test_a_kill_is_known_by_the_words_of_old_and_new_kubelets(message: str) -> None:
    ended = {"terminated": {"reason": "Error", "exitCode": 2, "finishedAt": ago(minutes=3)}}
    killed = pod(containerStatuses=container(9, waiting="CrashLoopBackOff", lastState=ended))
    (found,) = assessed(killed, event(killed, "Killing", message, minutes=3) | {"type": "Normal"}).problems
    assert "liveness probe" in found.cause
    assert "crash" not in found.cause
    # One of an hour before has nothing to do with this end.
    (found,) = assessed(killed, event(killed, "Killing", message, minutes=40) | {"type": "Normal"}).problems
    assert "crashes" in found.cause


def test_a_retried_container_is_in_progress_until_it_was_retried_often() -> None:
    status = container(3, waiting="CrashLoopBackOff")
    retried = pod(containerStatuses=status)
    retried["spec"]["restartPolicy"] = "OnFailure"
    assert codes_of(retried) == []
    status[0]["restartCount"] = 6
    assert codes_of(retried) == ["POD_CRASH_LOOPING"]


def unplaced(since: str, **more: Any) -> dict[str, Any]:
    waiting = pod(
        phase="Pending", conditions=[condition("PodScheduled", False, "Unschedulable", "0/3 nodes", since=since)]
    )
    del waiting["spec"]["nodeName"]
    return waiting | more


def test_an_unschedulable_pod_gives_an_autoscaler_a_minute() -> None:
    assert codes_of(unplaced(ago(seconds=30))) == []
    (found,) = assessed(unplaced(ago(minutes=5))).problems
    assert (found.code, found.reason) == ("POD_UNSCHEDULABLE", "Unschedulable")


def test_without_a_date_the_scheduler_is_believed() -> None:
    assert codes_of(unplaced(ago(seconds=0)), dated=False) == ["POD_UNSCHEDULABLE"]


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("FailedMount", "VOLUME_MOUNT_FAILED"),
        ("FailedAttachVolume", "VOLUME_ATTACH_FAILED"),
        ("FailedCreatePodSandBox", "POD_SANDBOX_FAILED"),
    ],
)
def test_a_pod_that_cannot_start_is_told_by_its_event(reason: str, code: str) -> None:
    starting = pod(phase="Pending", containerStatuses=container(waiting="ContainerCreating"))
    assert codes_of(starting, event(starting, reason, "no such thing")) == [code]


def test_a_pod_that_is_being_created_is_in_progress() -> None:
    starting = pod(phase="Pending", containerStatuses=container(waiting="ContainerCreating"))
    starting["metadata"]["creationTimestamp"] = ago(minutes=4)
    assert codes_of(starting, event(starting, "FailedMount", "timed out", count=1)) == ["VOLUME_MOUNT_FAILED"]
    assert codes_of(starting) == []
    starting["metadata"]["creationTimestamp"] = ago(hours=1)
    assert codes_of(starting) == ["POD_START_STUCK"]


def test_events_of_another_pod_of_the_same_name_explain_nothing() -> None:
    starting = pod(phase="Pending", containerStatuses=container(waiting="ContainerCreating"))
    starting["metadata"]["creationTimestamp"] = ago(minutes=4)
    stale = event(starting, "FailedMount", "timed out")
    stale["involvedObject"]["uid"] = "an-earlier-pod"
    assert codes_of(starting, stale) == []


def test_a_failing_probe_is_told_with_the_probe() -> None:
    unready = pod(conditions=ready(False, reason="ContainersNotReady"), containerStatuses=container(ready=False))
    unready["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/up", "port": 80}, "timeoutSeconds": 2}
    (found,) = assessed(unready, event(unready, "Unhealthy", "Readiness probe failed: 503")).problems
    assert found.code == "POD_PROBE_FAILING"
    assert any("/up port 80, timeout 2 s" in evidence.text for evidence in found.evidence)


def test_an_evicted_and_a_failed_pod_carry_their_own_reasons() -> None:
    evicted = pod(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")
    ended = {"terminated": {"reason": "Error", "exitCode": 3}}
    failed = pod("shop-2", phase="Failed", containerStatuses=container() and [{"name": "app", "state": ended}])
    assert [(f.code, f.reason) for f in assessed(evicted, failed).problems] == [
        ("POD_EVICTED", "Evicted"),
        ("POD_FAILED", "Error"),
    ]


def test_completed_pods_are_fine() -> None:
    done = pod(phase="Succeeded", conditions=ready(False, reason="PodCompleted"))
    assert codes_of(done) == []


def test_a_failed_pod_of_a_job_that_goes_on_or_succeeded_is_no_problem() -> None:
    job = thing("Job", "import", version="batch/v1", status={"active": 1})
    ended = [{"name": "app", "state": {"terminated": {"reason": "Error", "exitCode": 1}}}]
    failed = pod("import-1", owner=job, phase="Failed", containerStatuses=ended)
    assert codes_of(job, failed) == []
    job["status"] = {"succeeded": 1, "conditions": [condition("Complete", True)]}
    assert codes_of(job, failed) == []


def test_a_pod_that_does_not_go_away_is_told_after_its_time() -> None:
    going = pod(conditions=ready())
    going["metadata"] |= {"deletionTimestamp": ago(minutes=3), "finalizers": ["example.org/wait"]}
    assert codes_of(going) == []
    going["metadata"]["deletionTimestamp"] = ago(minutes=30)
    (found,) = assessed(going).problems
    assert found.code == "POD_TERMINATING_STUCK"
    assert "example.org/wait" in found.cause


def test_a_clock_that_runs_ahead_makes_nothing_old() -> None:
    starting = pod(phase="Pending", containerStatuses=container(waiting="ContainerCreating"))
    starting["metadata"]["creationTimestamp"] = ago(hours=-2)
    assert codes_of(starting) == []
