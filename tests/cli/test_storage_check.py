"""`crew storage check` as a program, against a cluster and a metrics store over real sockets."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from opscrew.storage.volume import GIB
from tests.support.crew_program import crew as crew_program
from tests.support.http_answers import Answers, http_answers, status
from tests.support.kubernetes_api import kubernetes_api
from tests.support.kubernetes_objects import pod, ready, thing
from tests.support.metrics_answers import MetricsTable
from tests.support.volumes import growing
from tools.victoriametrics.client import QUERY


def claim(name: str) -> dict[str, object]:
    spec = {"storageClassName": "fast", "resources": {"requests": {"storage": "100Gi"}}}
    metadata = {"creationTimestamp": "2025-01-01T00:00:00Z"}
    made = {"phase": "Bound", "capacity": {"storage": "100Gi"}}
    return thing("PersistentVolumeClaim", name, metadata=metadata, spec=spec, status=made)


@pytest.fixture
def metrics(tmp_path: Path) -> Iterator[Answers]:
    used = {"filling": growing(90, 1), "flat": [90.0] * 60}
    labels = {name: {"namespace": "team", "persistentvolumeclaim": name} for name in used}
    table = MetricsTable(
        now={
            "kubelet_volume_stats_used_bytes": [(labels[name], days[-1] * GIB) for name, days in used.items()],
            "kubelet_volume_stats_capacity_bytes": [(one, 100 * GIB) for one in labels.values()],
        },
        past={"kubelet_volume_stats_used_bytes": [(labels[n], [d * GIB for d in days]) for n, days in used.items()]},
    )
    fast = thing("StorageClass", "fast", version="storage.k8s.io/v1", namespace="", allowVolumeExpansion=True)
    mounting = pod("db-0", conditions=ready())
    mounting["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {"claimName": "unseen"}}]
    with kubernetes_api() as api, http_answers() as answers:
        table.serve_on(answers)
        api.objects |= {
            "/api/v1/persistentvolumeclaims": [claim("flat"), claim("filling"), claim("unseen")],
            "/apis/storage.k8s.io/v1/storageclasses": [fast],
            "/api/v1/pods": [mounting],
        }
        config = {
            "kubernetes": [{"name": "prod", "kubeconfig": str(api.kubeconfig(tmp_path))}],
            "victoriametrics": {"url": answers.url, "timeout_seconds": 60},
            "data_dir": str(tmp_path / "data"),
        }
        (tmp_path / "crew.yaml").write_text(json.dumps(config))
        yield answers


def crew(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return crew_program(folder, "--config", str(folder / "crew.yaml"), "storage", "check", *arguments)


def test_each_volume_with_its_advice(tmp_path: Path, metrics: Answers) -> None:
    done = crew(tmp_path, "--json")
    rows = {row["name"]: row for row in map(json.loads, done.stdout.splitlines())}
    assert (done.returncode, done.stderr) == (0, "")
    assert (rows["filling"]["status"], rows["filling"]["advice"]) == ("VOLUME_FILLING", "expand")
    assert rows["filling"]["to_gib"] > 100
    assert (rows["flat"]["status"], rows["flat"]["advice"]) == ("ok", "leave")
    assert rows["flat"]["probability"] == 0
    assert rows["unseen"]["status"] == "not measured"


def test_text_is_readable_at_80_columns(tmp_path: Path, metrics: Answers) -> None:
    done = crew(tmp_path, "--context", "prod")
    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    said = " ".join(done.stdout.split())
    assert "FILLS prod team/filling: 90.0 of 100.0 GiB used (90%)" in said
    assert "leave: 90% used, and it has not grown towards full in 59 days" in said
    assert "? prod team/unseen: not measured: no kubelet_volume_stats figures of the last 15m" in said


def test_what_cannot_be_asked_is_one_line_and_exit_code(tmp_path: Path, metrics: Answers) -> None:
    other = crew(tmp_path, "--context", "other")
    assert other.returncode == 1
    assert "there is no cluster or context 'other'" in other.stderr
    metrics.by_path[QUERY] = status(503, "overloaded")
    done = crew(tmp_path, "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "answered 503: overloaded" in done.stderr
    assert "Traceback" not in done.stderr
