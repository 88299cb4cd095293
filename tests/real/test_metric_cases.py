"""Each case of ``tests/crews/data/metrics`` in a real VictoriaMetrics, by what a person reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.metric_cases import Case, cases, mistakes, reads
from tests.support.victoria import victoria_metrics, write_samples

pytestmark = [pytest.mark.real, pytest.mark.usefixtures("unhurried")]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_a_person_reads_what_is_so(case: Case, tmp_path: Path) -> None:
    with victoria_metrics(tmp_path) as store:
        write_samples(store, case.points())
        text = reads(case, store, tmp_path)
    assert mistakes(case, text) == [], text
