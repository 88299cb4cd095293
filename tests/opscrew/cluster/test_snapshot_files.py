"""Files as people have them: one object, arrays, lists, several documents, and broken ones."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.snapshot_files import read_snapshot
from opscrew.errors import CrewError
from tests.support.kubernetes_objects import ago, event, pod, thing

A, B = pod("a"), pod("b")
BARE = {name: value for name, value in A.items() if name not in ("kind", "apiVersion")}


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (A, ["a"]),
        ([A, B], ["a", "b"]),
        ({"kind": "List", "apiVersion": "v1", "items": [A, B]}, ["a", "b"]),
        ({"kind": "PodList", "apiVersion": "v1", "items": [BARE]}, ["a"]),
        ([{"kind": "List", "items": [A]}, [B]], ["a", "b"]),
    ],
)
@pytest.mark.parametrize("write", [json.dumps, yaml.safe_dump])
def test_every_shape_is_read(tmp_path: Path, content: Any, names: list[str], write: Any) -> None:
    path = tmp_path / "snapshot"
    path.write_text(write(content))
    assert [found.name for found in read_snapshot(path).snapshot.of("Pod")] == names


def test_several_documents_events_and_no_secrets(tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    secret = thing("Secret", data={"password": "aHVudGVyMg=="})
    path.write_text(yaml.safe_dump_all([A, event(A, "BackOff", "again"), secret, None]))
    read = read_snapshot(path).snapshot
    assert [key[0] for key in read.resources] == ["Pod"]
    assert [found.reason for found in read.events] == ["BackOff"]


def test_of_several_versions_of_an_object_the_last_counts(tmp_path: Path) -> None:
    path = tmp_path / "watched.json"
    path.write_text(json.dumps([pod("a", phase="Pending"), pod("a", phase="Running")]))
    (found,) = read_snapshot(path).snapshot.of("Pod")
    assert found.status["phase"] == "Running"


def test_members_that_are_no_objects_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps([A, 3, "text", {"no": "kind"}, None]))
    assert read_snapshot(path).malformed == 3


def test_the_newest_time_stands_for_now(tmp_path: Path) -> None:
    path = tmp_path / "old.json"
    later = thing("Certificate", version="x.example.org/v1", status={"notAfter": ago(days=-90)})
    path.write_text(json.dumps([A | {"status": {"startTime": "2020-02-03T04:05:06Z"}}, later]))
    read = read_snapshot(path).snapshot
    assert read.now == datetime.fromisoformat(ago(days=1))  # created; the end of the certificate lies ahead
    assert not read.dated
    given = datetime(2027, 1, 1, tzinfo=UTC)
    assert read_snapshot(path, given).snapshot.now == given


@pytest.mark.parametrize(
    "field",
    ["expiration", "expireTime", "validUntil", "nextSyncTime", "nextScheduledBackup", "renewAfter", "spec"],
)
def test_times_that_lie_ahead_do_not_stand_for_now(tmp_path: Path, field: str) -> None:
    """A rollout beside a backup that expires next month must not look a month old."""
    ahead = ago(days=-30) if field != "spec" else {"runAt": ago(days=-30)}
    status = {"note": {field: ahead}, "lastTime": ago(minutes=1), "never": "9999-12-31T23:59:59-12:00"}
    path = tmp_path / "some.json"
    path.write_text(json.dumps([thing("Backup", version="x.example.org/v1", status=status)]))
    assert read_snapshot(path).snapshot.now == datetime.fromisoformat(ago(minutes=1))


def test_names_that_yaml_takes_for_numbers_are_names(tmp_path: Path) -> None:
    odd = {1: {"phase": "Failed", 2.5: "x"}, False: "y", None: {}, datetime(2026, 1, 1, tzinfo=UTC): "z"}
    thing_of_names = thing("Widget", version="x.example.org/v1", spec=odd, status=odd, metadata={"labels": {1: 2}})
    path = tmp_path / "some.yaml"
    path.write_text(yaml.safe_dump(thing_of_names))
    read = read_snapshot(path).snapshot
    assert [problem.code for problem in assess(read, load_noise()).problems] == ["CUSTOM_RESOURCE_FAILED"]


def test_a_time_at_the_end_of_the_calendar_stops_no_sweep(tmp_path: Path) -> None:
    never = "9999-12-31T23:59:59-12:00"
    spec = {"schedule": "* * * * *"}
    job = thing("CronJob", version="batch/v1", spec=spec, status={"lastScheduleTime": never})
    path = tmp_path / "some.json"
    path.write_text(json.dumps(job))
    read = read_snapshot(path, datetime(2026, 10, 6, tzinfo=UTC)).snapshot
    assert assess(read, load_noise()).problems is not None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no Kubernetes object"),
        (b"[]", "no Kubernetes object"),
        (b"just words", "no Kubernetes object"),
        (b'{"kind": "List", "items": [{"kind"', "neither JSON nor YAML"),
        (b"\x00\xff\xfe binary", "neither JSON nor YAML"),
        (b"[" * 100_000, "neither JSON nor YAML"),
    ],
)
def test_a_file_that_is_no_snapshot_is_told_in_one_line(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(content)
    with pytest.raises(CrewError, match=words) as problem:
        read_snapshot(path)
    assert "\n" not in problem.value.message


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(CrewError, match="cannot be read"):
        read_snapshot(Path("/nowhere/snapshot.json"))
