"""How well the cluster checks judge real objects whose health other projects have asserted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.section import Row, Section, at_least, at_most
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.snapshot_files import read_snapshot

CORE = frozenset(
    {
        "Pod",
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "Job",
        "PersistentVolumeClaim",
        "HorizontalPodAutoscaler",
        "Node",
        "Service",
        "ReplicaSet",
        "CronJob",
    }
)
_INTRO = (
    "Objects with upstream-asserted health; in progress means that the owner says it must not page. The rules are "
    "general words and conventions, none names a product; the held-out objects belong to other projects."
)


def measure(data: Path) -> Section:
    """Judges every object as `crew cluster check --input` does. Raises ``FileNotFoundError`` without the data."""
    path = data / "d_k8s_objects.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    with TemporaryDirectory() as folder:
        judged = [(row, *_judge(row, Path(folder) / "snapshot.json")) for row in rows]
    core = Counter((found, row["problem"]) for row, found, _ in judged if row["kind"] in CORE)
    custom = Counter((found, row["problem"]) for row, found, _ in judged if row["kind"] not in CORE)
    in_progress = [found for row, found, _ in judged if row["problem"] is None]
    pods = [(row, reason) for row, _, reason in judged if row["kind"] == "Pod" and row["problem"]]
    right = sum(reason == row["observed_reason"] for row, reason in pods)
    return Section(
        "cluster",
        "Cluster checks on real objects",
        _INTRO,
        [
            at_least("core kinds, precision", _precision(core), 0.97, "string rule 0.96"),
            at_least("core kinds, recall", _recall(core), 0.95, "string rule 0.74"),
            at_least("custom resources, precision", _precision(custom), 0.97),
            at_least("custom resources, recall", _recall(custom), 0.80, "string rule 0.32"),
            at_most("in progress called a problem", sum(in_progress) / len(in_progress), 0.02, "string rule 0.108"),
            at_least("reason of pods named right", right / len(pods), 0.95),
            Row("objects judged", str(len(rows))),
        ],
    )


def _judge(row: dict[str, Any], path: Path) -> tuple[bool, str]:
    path.write_text(json.dumps({"kind": "List", "items": [*row["objects"], *row["events"]]}), encoding="utf-8")
    problems = assess(read_snapshot(path).snapshot, load_noise()).problems
    return bool(problems), problems[0].reason if problems else ""


def _precision(counts: Counter[tuple[bool, bool | None]]) -> float:
    found = counts[True, True] + counts[True, False]
    return counts[True, True] / found if found else 0.0


def _recall(counts: Counter[tuple[bool, bool | None]]) -> float:
    there = counts[True, True] + counts[False, True]
    return counts[True, True] / there if there else 0.0
