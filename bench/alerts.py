"""What a person reads of recorded alerts: the object by name, the severity, told or not, the cause, and the ends."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.section import Row, Section, at_least
from tests.support.alert_cases import cases, problems, read_case

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
SHARE = 0.9


def measure(_data: Path) -> Section:
    """Puts each body to a crew of its own, over HTTP, and judges what it tells."""
    expected = cases()
    wrong = {file: found for file, one in expected.items() if (found := _wrong(file, one))}
    section = Section(
        "alerts",
        "Alerts: is it told rightly?",
        f"{len(expected)} bodies and answers after recorded ones of Alertmanager, vmalert and Grafana, each put to a "
        "crew of its own. Right means: the object by name, its severity, told or not, no claim that nobody measured, "
        "and an end only by an end. They are the cases that the rules were mended with; others are kept apart.",
    )
    section.rows.append(at_least("bodies told rightly", 1 - len(wrong) / len(expected), SHARE, digits=2))
    section.rows.extend(Row(f"wrong: {file}", "; ".join(found)[:200]) for file, found in wrong.items())
    return section


def _wrong(file: str, expected: dict[str, object]) -> list[str]:
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        return problems(read_case(file, expected, Path(folder), NOW), expected)
