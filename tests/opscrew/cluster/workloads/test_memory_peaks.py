"""The peak of memory beside an OOM kill, from plain numbers."""

from __future__ import annotations

from opscrew.cluster.workloads.memory_peaks import namespaces_of_kills, with_peaks
from opscrew.model.finding import Finding
from tests.support.kubernetes_objects import NOW, ago, assessed, container, pod

MIB = 1024 * 1024
KEY = ("team", "shop-1", "app")


def killed(limit: str = "128Mi") -> Finding:
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": ago(minutes=3)}}
    crashing = pod(containerStatuses=container(9, waiting="CrashLoopBackOff", lastState=ended))
    if limit:
        crashing["spec"]["containers"][0]["resources"] = {"limits": {"memory": limit}}
    (found,) = assessed(crashing).problems
    return found


def line_of(finding: Finding) -> str:
    (line,) = [one.text for one in finding.evidence if one.source == "victoriametrics"]
    return line


def test_the_peak_is_told_in_bytes_and_as_a_share_of_the_limit() -> None:
    (told,) = with_peaks([killed()], {KEY: 96.0 * MIB}, NOW)
    assert line_of(told).startswith("memory of app: highest reading 96 MiB, 75% of its limit of 128Mi")
    assert told.details["memory_peak_bytes"] == 96 * MIB
    assert told.fingerprint == killed().fingerprint


def test_without_a_limit_there_is_no_share() -> None:
    (told,) = with_peaks([killed(limit="")], {KEY: 96.0 * MIB}, NOW)
    assert line_of(told).startswith("memory of app: highest reading 96 MiB; ")


def test_other_containers_of_the_same_name_are_not_taken_for_it() -> None:
    others = {("other", "shop-1", "app"): 1.0, ("team", "shop-2", "app"): 2.0, ("team", "shop-1", "side"): 3.0}
    (told,) = with_peaks([killed()], others, NOW)
    assert line_of(told) == "memory of app: the peak is not known: there are no readings of this container"
    assert "memory_peak_bytes" not in told.details


def test_why_a_peak_is_unknown_is_told() -> None:
    (told,) = with_peaks([killed()], {}, NOW, "no metrics store is configured")
    assert line_of(told).endswith("the peak is not known: no metrics store is configured")


def test_findings_about_something_else_are_left_as_they_are() -> None:
    crashing = assessed(pod(containerStatuses=container(9, waiting="CrashLoopBackOff"))).problems
    assert with_peaks(crashing, {KEY: 1.0}, NOW) == crashing
    assert namespaces_of_kills(crashing) == []
    assert namespaces_of_kills([killed(), killed()]) == ["team"]
