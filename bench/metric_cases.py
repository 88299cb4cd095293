"""What a person reads of metrics as stores really hold them: cases after public reports, in a real VictoriaMetrics."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from bench.section import Row, Section
from crews.ask.gather import run as gathering
from tests.support.metric_cases import Case, cases, mistakes, reads
from tests.support.parts import FOLDER
from tests.support.victoria import VICTORIA, victoria_metrics, write_samples

TITLES = {"storage": "volumes", "throttling": "CPU throttling", "ask": "answers about figures"}


def measure(data: Path) -> Section:
    """The cases that are read right, by what they are about. ``FileNotFoundError`` without the real store."""
    del data
    if not (FOLDER / VICTORIA / "victoria-metrics").is_file():
        raise FileNotFoundError("no victoria-metrics; `make parts` builds it")
    known = cases()
    gathering.DEADLINE_SECONDS = 60  # what is measured is whether it is right; answer_time measures how long it takes
    wrong = [(case, found) for case in known if (found := _mistakes(case))]
    section = Section(
        "metric_cases",
        "Metrics: whose figures, and are they right?",
        f"{len(known)} setups of metrics after public reports: several clusters in one store, scrapers that put their "
        "own labels first, copies, claims made anew, file systems without limits. Each is right when what a person "
        "reads has every word that it must have and none that it must not.",
    )
    totals, failed = Counter(case.kind for case in known), Counter(case.kind for case, _ in wrong)
    for kind, total in totals.items():
        right = total - failed[kind]
        section.rows.append(Row(TITLES[kind], f"{right} of {total}", f"{total} of {total}", met=right == total))
    for case, found in wrong:
        section.rows.append(Row(f"wrong: {case.name}", "; ".join(found)))
    return section


def _mistakes(case: Case) -> list[str]:
    with tempfile.TemporaryDirectory() as folder, victoria_metrics(Path(folder)) as store:
        write_samples(store, case.points())
        return mistakes(case, reads(case, store, Path(folder)))
