"""What people read, and what stays known, where figures are no longer there: every source in every way."""

from __future__ import annotations

import tempfile
from pathlib import Path

from bench.section import Row, Section
from crews.ask.gather import run as gathering
from tests.support.absent_sources import SOURCES, WAYS, mistakes


def measure(data: Path) -> Section:
    """How many ways of holding back its figures each source bears."""
    del data
    gathering.DEADLINE_SECONDS = 60  # what is measured is whether it is right; answer_time measures how long it takes
    section = Section(
        "absent",
        "Absent is not well",
        "Something is known to be wrong; then figures are gone, empty, refused, partial, late or of another tenant. "
        "A look is right when what was known stays known, what is not seen is named, and nothing is told as healthy.",
    )
    for source in SOURCES:
        wrong = {way: found for way in WAYS if (found := _mistakes(source, way))}
        right = len(WAYS) - len(wrong)
        value, target = f"{right} of {len(WAYS)}", f"{len(WAYS)} of {len(WAYS)}"
        section.rows.append(Row(source.__name__, value, target, met=not wrong))  # type: ignore[attr-defined]
        section.rows.extend(Row(f"wrong: {way}", found[0][:200]) for way, found in wrong.items())
    return section


def _mistakes(source: object, way: str) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return mistakes(source, way, Path(folder))  # type: ignore[arg-type]
