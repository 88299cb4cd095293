"""The next step fits what was said, and not only the code."""

from __future__ import annotations

import pytest

from opscrew.cluster.report.next_steps import next_steps
from opscrew.findings.codes import codes
from tests.support.kubernetes_objects import ago, assessed, condition, pod, thing


def step_of(message: str, reason: str = "SyncFailed") -> str:
    status = {"conditions": [condition("Ready", False, reason, message)]}
    (found,) = assessed(thing("Bucket", version="store.example.org/v1", status=status)).problems
    return found.next_step


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("login failed: permission denied", "credentials"),
        ("googleapi: Error 403: caller does not have the right", "credentials"),
        ("update failed: field is immutable", "anew"),
        ("create failed: limit exceeded for addresses", "limit"),
        ("failed to apply: no matches for kind Issuer", "definition"),
        ("dial tcp: lookup db.shop on 10.0.0.10:53: no such host", "host name"),
        ("dial tcp 10.1.2.3:443: i/o timeout", "reached"),
        ("secret team/key not found", "Make what"),
        ("failed: spec.size is invalid", "Correct the field"),
    ],
)
def test_a_failed_custom_resource_is_told_what_its_message_asks_for(message: str, words: str) -> None:
    assert words in step_of(message)


def test_a_number_inside_another_word_is_no_status_code() -> None:
    assert "credentials" not in step_of("build-4031 failed to start")


def test_where_nothing_fits_the_step_of_the_code_stands() -> None:
    assert step_of("it failed oddly") == codes()["CUSTOM_RESOURCE_FAILED"].next_step


def test_a_node_without_network_is_not_sent_to_its_machine() -> None:
    message = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady"
    status = {"conditions": [condition("Ready", False, "KubeletNotReady", message)]}
    (found,) = assessed(thing("Node", "node-1", namespace="", status=status)).problems
    assert "network plugin" in found.next_step


def test_an_eviction_for_memory_and_one_for_disk_want_different_things() -> None:
    steps = set()
    for resource in ("memory", "ephemeral-storage"):
        evicted = pod(phase="Failed", reason="Evicted", message=f"The node was low on resource: {resource}. ")
        (found,) = assessed(evicted).problems
        steps.add(found.next_step)
    assert len(steps) == 2


def test_every_step_belongs_to_a_code_and_is_no_copy_of_it() -> None:
    assert set(next_steps()) <= set(codes())
    for code, steps in next_steps().items():
        assert all(step.step != codes()[code].next_step or code == "API_UNAVAILABLE" for step in steps)
        assert all(word == word.lower() for step in steps for word in step.words)


def test_an_old_namespace_names_its_api() -> None:
    said = "Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: a.b/v1"
    status = {"conditions": [condition("NamespaceDeletionDiscoveryFailure", True, "DiscoveryFailed", said)]}
    old = thing("Namespace", "old", namespace="", status=status, metadata={"deletionTimestamp": ago(hours=3)})
    (found,) = assessed(old).problems
    assert "APIService" in found.next_step
