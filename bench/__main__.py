"""`python -m bench [NAME…]`: measures, keeps each result as JSON, and renders docs/BENCHMARKS.md from all of them.

Data comes from the folder in BENCH_DATA, else ../shared/bench beside the checkout. Measuring one section leaves the
others' last results in place, each with its own date.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.section import Row, Section

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
PAGE = ROOT / "docs" / "BENCHMARKS.md"

AREAS: tuple[str, ...] = (
    "ci_classify",
    "ci_explain",
    "polling",
    "webhooks",
    "open_port",
    "cluster",
    "snapshots",
    "cluster_sweep",
    "storage",
    "alerts",
    "logs",
    "metric_cases",
    "absent",
    "measures",
    "commands",
    "daemon",
    "retrieval",
    "questions",
    "asking",
    "small_model",
    "answer_time",
    "claims",
    "redaction",
)
"""Modules of this package with ``measure(data: Path) -> Section``, in the order of the page."""


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(AREAS))
    if unknown:
        print(f"bench: no section {', '.join(unknown)}; there are: {', '.join(AREAS)}", file=sys.stderr)
        return 2
    data = Path(os.environ.get("BENCH_DATA", ROOT.parent / "shared" / "bench"))
    if not data.is_dir():
        print(f"bench: no data folder {data}; sections that need it are skipped (set BENCH_DATA)", file=sys.stderr)
    for name in names or AREAS:
        print(f"measuring {name} ...", flush=True)
        section = _measure(name, data)
        if section is None:
            continue
        _keep(section)
        for row in section.rows:
            print(f"  {_mark(row):4} {row.what}: {row.value}" + (f"  (target {row.target})" if row.target else ""))
    PAGE.write_text(render(_kept()), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


def _measure(name: str, data: Path) -> Section | None:
    """The section, or None with a printed reason where its data or a program it needs is absent."""
    try:
        section: Section = importlib.import_module(f"bench.{name}").measure(data)
    except FileNotFoundError as missing:
        print(f"  skipped: {missing}")
        return None
    return section


def _keep(section: Section) -> None:
    RESULTS.mkdir(exist_ok=True)
    record = {"measured": datetime.now(UTC).date().isoformat(), **asdict(section)}
    (RESULTS / f"{section.name}.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _kept() -> list[tuple[str, Section]]:
    found = []
    for name in AREAS:
        path = RESULTS / f"{name}.json"
        if path.is_file():
            record = json.loads(path.read_text(encoding="utf-8"))
            rows = [Row(**row) for row in record.pop("rows")]
            found.append((record.pop("measured"), Section(rows=rows, **record)))
    return found


def render(sections: list[tuple[str, Section]]) -> str:
    """The whole page as Markdown."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `make bench`. Times are from shared 2-core machines: read medians and ratios, not single values.",
        "",
    ]
    for measured, section in sections:
        lines += [f"## {section.title}", "", f"{section.intro} Measured {measured}.", ""]
        lines += ["| what | measured | target | met | reference |", "|---|---|---|---|---|"]
        lines += [f"| {r.what} | {r.value} | {r.target} | {_mark(r)} | {r.reference} |" for r in section.rows]
        lines.append("")
    return "\n".join(lines)


def _mark(row: Row) -> str:
    return {True: "yes", False: "NO", None: ""}[row.met]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
