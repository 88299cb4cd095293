"""What leaves the cluster checks: redacted, capped, quietened, and honest about what was not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opscrew.cluster.assessment import assess
from opscrew.cluster.checks import CHECKS
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.report.wording import assessment_text
from opscrew.cluster.snapshot import Snapshot
from opscrew.errors import UsageError
from opscrew.model.finding import Severity
from tests.support.kubernetes_objects import NOW, assessed, container, event, pod, snapshot, thing

KINDS = {
    "Pod": "v1",
    "Node": "v1",
    "Deployment": "apps/v1",
    "StatefulSet": "apps/v1",
    "Job": "batch/v1",
    "CronJob": "batch/v1",
    "Service": "v1",
    "Ingress": "networking.k8s.io/v1",
    "PersistentVolumeClaim": "v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "PodDisruptionBudget": "policy/v1",
    "ResourceQuota": "v1",
    "ValidatingWebhookConfiguration": "admissionregistration.k8s.io/v1",
    "Widget": "factory.example.org/v1",
}
WORDS = ["conditions", "phase", "type", "status", "Ready", "False", "Failed", "containerStatuses", "state", "waiting"]
WORDS += [
    "reason",
    "containers",
    "schedule",
    "replicas",
    "selector",
    "matchLabels",
    "webhooks",
    "hard",
    "used",
    "rules",
]
LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.floats(allow_nan=False) | st.sampled_from(WORDS)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
)


@given(st.sampled_from(sorted(KINDS)), TREES, TREES, TREES)
def test_no_shape_of_an_object_breaks_a_check(kind: str, spec: Any, status: Any, other: Any) -> None:
    odd = {
        "kind": kind,
        "apiVersion": KINDS[kind],
        "spec": spec,
        "status": status,
        "webhooks": other,
        "metadata": other,
    }
    assess(snapshot(odd, thing("Pod", status=status, spec=spec)), load_noise())


def test_secrets_in_messages_are_taken_out_and_long_texts_cut() -> None:
    message = "failed with password=hunter2-hunter2 " + "x" * 5000
    (found,) = assessed(pod(containerStatuses=container(waiting="CreateContainerError", message=message))).problems
    assert "hunter2" not in found.model_dump_json()
    assert len(found.cause) <= 440
    assert all(len(evidence.text) <= 400 for evidence in found.evidence)


def test_hints_are_capped_and_counted() -> None:
    many = [thing("ConfigMap", f"empty-{number}") for number in range(25)]
    found = assessed(*many)
    assert len(found.findings) == 10
    assert found.held_back == {"CONFIG_MAP_UNUSED": 15}
    assert "15 x CONFIG_MAP_UNUSED" in assessment_text("prod", found)


def test_all_clear_is_only_said_when_everything_was_read() -> None:
    clear = assess(Snapshot([], NOW, listed=frozenset({"Pod"})), load_noise())
    assert "All clear" in assessment_text("prod", clear)
    gap = Snapshot([], NOW, listed=frozenset({"Pod"}), not_checked={"Node": "this account may not read it (403)"})
    text = assessment_text("prod", assess(gap, load_noise()))
    assert "All clear" not in text
    assert "Node: this account may not read it (403)" in text


def test_text_fits_80_columns() -> None:
    failing = pod("a-" * 20, containerStatuses=container(waiting="ImagePullBackOff", message="m " * 300))
    text = assessment_text("prod", assessed(failing, event(failing, "Failed", "pull access denied " * 20)))
    assert max(len(line) for line in text.splitlines()) <= 90
    assert "next: Check the pull secret" in text


def test_own_rules_come_before_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "noise.yaml"
    own.write_text(
        "ignore: [{kind: Pod, name: 'canary-*', why: they are meant to fail}]\n"
        "severities: [{namespace: 'team', code: POD_CRASH_LOOPING, severity: critical}]\n"
    )
    status = container(8, waiting="CrashLoopBackOff")
    both = snapshot(pod("canary-1", containerStatuses=status), pod("shop-1", containerStatuses=status))
    (found,) = assess(both, load_noise(own)).findings
    assert (found.subject.name, found.severity) == ("shop-1", Severity.CRITICAL)


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "ignore: [{}]",
        "ignore: [{pod: x}]",
        "severities: [{kind: Pod, severity: loud}]",
        "other: 1",
        "a: [",
        "ignore: [x]",
    ],
)
def test_rules_written_wrongly_are_told_in_one_line(tmp_path: Path, text: str) -> None:
    own = tmp_path / "noise.yaml"
    own.write_text(text)
    with pytest.raises(UsageError) as problem:
        load_noise(own)
    assert str(own) in problem.value.message


def test_every_check_is_registered() -> None:
    folder = Path(__file__).parents[3] / "opscrew" / "cluster"
    defined = {
        line.split("(")[0].removeprefix("def ")
        for file in folder.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if line.startswith("def check_") and "(snapshot: Snapshot) -> Iterator" in line
    }
    assert defined == {check.__name__ for check in CHECKS}
