"""Small clusters after public reports: one finding per cause, said in words that help, and nothing beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from opscrew.model.finding import Finding
from tests.support.cluster_reports import Report, reports

REPORTS = reports(Path(__file__).with_name("data") / "reports")


@pytest.mark.parametrize("report", [pytest.param(report, id=report.name) for report in REPORTS])
def test_what_is_told_of_a_cluster_is_its_cause(report: Report) -> None:
    told = report.judged().problems
    found = sorted(f"{one.code} {one.subject.kind} {one.subject.name}" for one in told)
    assert found == sorted(f"{one['code']} {one['kind']} {one['name']}" for one in report.told)
    for wanted in report.told:
        _assert_told_well(next(one for one in told if one.subject.name == wanted["name"]), wanted)


def _assert_told_well(finding: Finding, wanted: dict[str, Any]) -> None:
    assert finding.severity.value == wanted.get("severity", finding.severity.value)
    for words in wanted.get("says", ()):
        assert words in finding.cause
    for words in wanted.get("says_not", ()):
        assert words not in finding.cause
    affected = {f"{one['kind']} {one['name']}" for one in finding.details["affected"]}
    assert affected >= set(wanted.get("affects", ()))


def test_there_are_enough_reports() -> None:
    assert len(REPORTS) >= 45
    assert all(report.source for report in REPORTS)
