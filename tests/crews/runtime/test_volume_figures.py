"""What people read of volumes, from what stores really hold: cases over real sockets, without the real store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.http_answers import http_answers
from tests.support.metric_cases import Case, cases, mistakes, reads
from tests.support.series_store import SeriesStore


@pytest.mark.parametrize("case", [one for one in cases() if one.kind == "storage"], ids=lambda case: case.name)
def test_a_person_reads_what_is_so(case: Case, tmp_path: Path) -> None:
    with http_answers() as store:
        SeriesStore(case.points()).serve_on(store)
        text = reads(case, store.url, tmp_path)
    assert mistakes(case, text) == [], text
