"""Whole snapshots after public reports, judged as a person would: object, severity, cause, and nothing else told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from bench.snapshots import cases, compare, faults
from opscrew.findings.codes import finding
from opscrew.model.finding import Severity
from opscrew.model.subject import Subject

CASES = cases()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_snapshot_is_told_as_a_person_would(path: Path) -> None:
    assert list(faults(path)) == []


def test_every_case_says_what_is_right_and_after_which_report() -> None:
    assert len(CASES) >= 70
    for path in CASES:
        case = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        assert case["after"], path.name
        assert datetime.fromisoformat(case["now"]).tzinfo is UTC or case["now"].endswith("Z"), path.name
        assert all(set(wish) >= {"severity", "subject", "says"} for wish in case["expect"]), path.name


def test_what_a_person_would_object_to_is_named() -> None:
    subject = Subject(system="kubernetes", kind="Pod", scope="shop", name="api-0")
    told = finding("POD_FAILED", subject, "The pod failed: out of tea", details={"namespace": "shop"})
    right = {"severity": "warning", "subject": "Pod shop/api-0", "says": ["Out of Tea"], "next": ["log"]}
    assert list(compare([right], [told])) == []
    assert list(compare([], [told])) == ["false alarm: Pod shop/api-0 POD_FAILED: The pod failed: out of tea"]
    assert next(iter(compare([right | {"subject": "Pod shop/other"}], [told]))) == "missed: Pod shop/other"
    for wrong in ({"says": ["coffee"]}, {"not_says": ["tea"]}, {"next": ["coffee"]}, {"severity": "critical"}):
        (objection,) = compare([right | wrong], [told])
        assert objection.startswith("wrong words: ")
    graver = told.model_copy(update={"severity": Severity.CRITICAL})
    assert list(compare([right], [graver, told])) == [
        "false alarm: Pod shop/api-0 POD_FAILED: The pod failed: out of tea"
    ]
