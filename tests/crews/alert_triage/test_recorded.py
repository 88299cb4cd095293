"""What a person reads of recorded bodies of Alertmanager, vmalert and Grafana."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.alert_cases import FOLDER, cases, problems, read_case

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize("file", cases())
def test_a_recorded_body_is_told_rightly(file: str, tmp_path: Path) -> None:
    expected = cases()[file]
    assert problems(read_case(file, expected, tmp_path, NOW), expected) == []


def test_every_recorded_body_is_tried() -> None:
    named = {name for file, one in cases().items() for name in (file, one.get("after", ""))}
    assert {path.name for path in FOLDER.glob("*.json")} == named - {""}
