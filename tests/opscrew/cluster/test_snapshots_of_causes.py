"""Whole snapshots as `crew cluster check --now` judges them: the cause alone is told, with its members."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.snapshot_files import read_snapshot
from opscrew.model.finding import Finding

FOLDER = Path(__file__).with_name("data") / "snapshots_of_causes"
JUNE = datetime(2025, 6, 1, 12, tzinfo=UTC)


def told(name: str, now: datetime = JUNE) -> list[Finding]:
    return assess(read_snapshot(FOLDER / f"{name}.json", now).snapshot, load_noise()).problems


def members(finding: Finding) -> set[str]:
    return {f"{one['kind']} {one['name']}" for one in finding.details["affected"]}


def test_a_node_that_fell_silent_seven_minutes_ago_takes_its_deployment_and_service() -> None:
    (found,) = told("r2_node_lost_7min")
    assert (found.code, found.severity.value) == ("NODE_NOT_READY", "critical")
    assert members(found) >= {"Deployment one", "Service one"}


def test_autoscalers_go_under_the_api_of_their_metrics() -> None:
    (found,) = told("r2_metrics_server_down")
    assert (found.code, found.severity.value) == ("API_UNAVAILABLE", "critical")
    assert members(found) == {f"HorizontalPodAutoscaler web{index}" for index in range(4)}


def test_evictions_and_unschedulable_pods_go_under_the_pressure_of_their_node() -> None:
    (found,) = told("r2_disk_pressure_evictions")
    assert (found.code, found.subject.name, found.severity.value) == ("NODE_UNDER_PRESSURE", "node-a", "critical")
    assert members(found) >= {"Deployment svc0", "Deployment svc1", "Deployment svc2"}


def test_a_namespace_that_cannot_be_emptied_goes_under_the_api_that_does_not_answer() -> None:
    (found,) = told("ns_terminating_discovery", datetime(2020, 6, 19, 13, tzinfo=UTC))
    assert found.code == "API_UNAVAILABLE"
    assert members(found) == {"Namespace configcluster"}


def test_secrets_go_under_their_store() -> None:
    (found,) = told("eso_synced_error")
    assert (found.subject.name, len(members(found))) == ("vault", 4)
    assert "permission denied" in found.cause
    assert "credentials" in found.next_step


@pytest.mark.parametrize(
    "name", ["crossplane_last_async_old", "r4_cert_renew_before_short", "velero_partially_failed_old"]
)
def test_old_news_and_renewals_ahead_are_not_told(name: str) -> None:
    assert told(name) == []


def test_a_snapshot_that_stays_unusable_is_told_though_it_tells_no_error() -> None:
    (found,) = told("snapshot_notready_silent")
    assert (found.code, found.subject.kind) == ("CUSTOM_RESOURCE_STUCK", "VolumeSnapshot")
    assert "readyToUse is false" in found.cause


def test_the_checks_of_a_storage_cluster_are_named() -> None:
    (found,) = told("rook_health_err")
    assert "1 full osd(s)" in found.cause
