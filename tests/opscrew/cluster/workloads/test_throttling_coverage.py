"""Which workloads' throttling is known, after what people report of their series."""

from __future__ import annotations

from typing import Any

import pytest

from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads.throttling_coverage import throttling_coverage, throttling_subject
from opscrew.model.coverage import Basis, Coverage, in_words, is_hidden
from tests.support.kubernetes_objects import NOW, ago, pod, ready
from tools.kubernetes.records import read_resource

LISTED = frozenset({"Pod", "Deployment"})


def limited(name: str, namespace: str = "team", *, cpu: str = "500m", **status: Any) -> dict[str, Any]:
    made = pod(name, conditions=ready(), **status)
    made["metadata"] |= {"namespace": namespace, "uid": f"{namespace}-{name}"}
    made["spec"]["containers"][0]["resources"] = {"limits": {"cpu": cpu} if cpu else {}}
    return made


def coverage(
    *pods: dict[str, Any], counted: str = "", used: str = "", listed: frozenset[str] = LISTED, **more: Any
) -> Coverage:
    """``counted`` and ``used`` name pods as "team/db-0 shop/web-1"."""
    snapshot = Snapshot([read_resource(one, "v1", "Pod") for one in pods], NOW, listed=listed, **more)
    keys = [{(*one.split("/"), "app") for one in names.split()} for names in (counted, used)]
    return throttling_coverage(snapshot, "prod", *keys, partial=False, where="in the last 30m")  # type: ignore[arg-type]


def hidden(found: Coverage, name: str, namespace: str = "team") -> bool:
    return is_hidden(throttling_subject("prod", namespace, f"Pod/{name}"), found.gaps)


def test_a_keep_list_that_leaves_out_a_namespace_is_seen() -> None:
    found = coverage(limited("db-0"), limited("web-0", "shop"), counted="team/db-0")
    assert in_words(found.gaps).startswith("1 of 2 workloads with a CPU limit not measured (shop/web-0)")
    assert (found.basis, hidden(found, "web-0", "shop"), hidden(found, "db-0")) == (Basis.PARTLY, True, False)


def test_rows_of_whole_pods_alone_measure_nothing() -> None:
    found = coverage(limited("db-0"))
    assert (
        in_words(found.gaps) == "CPU throttling not measured: no container_cpu series of any container in the last 30m"
    )
    assert (found.basis, hidden(found, "db-0")) == (Basis.NOT_MEASURED, True)


def test_a_container_without_a_limit_has_no_counters_and_needs_none() -> None:
    found = coverage(limited("db-0"), limited("web-0", cpu=""), counted="team/db-0", used="team/db-0 team/web-0")
    assert (found.is_whole, hidden(found, "web-0")) == (True, False)
    unseen = coverage(limited("db-0"), limited("web-0", cpu=""), counted="team/db-0", used="team/db-0")
    assert (unseen.is_whole, hidden(unseen, "web-0")) == (True, True), "nobody knows that it has none"


@pytest.mark.parametrize(
    "status",
    [
        {"startTime": ago(minutes=3)},
        {"containerStatuses": [{"name": "app", "state": {"running": {"startedAt": ago(minutes=3)}}}]},
        {"containerStatuses": [{"name": "app", "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
        {"phase": "Pending"},
    ],
)
def test_what_has_no_series_yet_is_not_named_and_not_over(status: dict[str, Any]) -> None:
    found = coverage(limited("db-0", **status), limited("web-0"), counted="team/web-0")
    assert (found.is_whole, hidden(found, "db-0")) == (True, True)


def test_a_pod_that_is_over_needs_no_series() -> None:
    found = coverage(limited("job-1", phase="Succeeded"), limited("web-0"), counted="team/web-0")
    assert (found.is_whole, hidden(found, "job-1")) == (True, False)


def test_without_pods_nobody_knows_what_should_be_measured() -> None:
    found = coverage(listed=frozenset({"Deployment"}), not_checked={"Pod": "this account may not read it (403)"})
    assert in_words(found.gaps) == "CPU throttling not measured: Pods: this account may not read it (403)"
    assert hidden(found, "db-0")


def test_a_cluster_without_containers_is_measured() -> None:
    assert coverage().is_whole
