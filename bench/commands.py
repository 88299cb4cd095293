"""How long a person waits for a command that only tells or lists: the whole process, as typed."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.section import Row, Section, at_most
from opscrew.clock import utc_now
from opscrew.findings.codes import codes, finding
from opscrew.findings.ledger import Ledger
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.store.database import open_database

FINDINGS = 200
"""Open at once; a list shows the worst 100 of them."""
RUNS = 15
CREW = Path(sys.executable).with_name("crew")


@dataclass(frozen=True)
class Waiting:
    """Seconds of each run, and what the middle one cost the processor."""

    seconds: tuple[float, ...]
    cpu: float

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def measure(_data: Path) -> Section:
    """Raises ``FileNotFoundError`` where the program is not installed beside this Python."""
    if not CREW.is_file():
        raise FileNotFoundError(f"no {CREW.name} beside {Path(sys.executable).name} (`make venv` installs it)")
    with TemporaryDirectory(prefix="crew-bench-") as folder:
        _fill(Path(folder))
        told = _waiting(folder, CREW, "--help")
        listed = _waiting(folder, CREW, "findings")
        as_json = _waiting(folder, CREW, "findings", "--json")
        nothing = _waiting(folder, sys.executable, "-c", "")
        acted = _waiting(folder, CREW, "actions")
    return Section(
        "commands",
        "Commands that tell or list",
        f"The whole process of the installed `crew`, median of {RUNS} runs after one that warms the disk, with "
        f"{FINDINGS} open findings in SQLite.",
        [
            at_most("`crew --help`", told.median, 0.3, digits=2, unit=" s"),
            at_most("`crew findings`", listed.median, 0.6, digits=2, unit=" s"),
            at_most("`crew findings --json`", as_json.median, 0.6, digits=2, unit=" s"),
            Row("a Python that does nothing, in the same run", f"{nothing.median:.2f} s"),
            Row("`crew actions`", f"{acted.median:.2f} s"),
            Row("slowest `crew --help`, `crew findings`", f"{max(told.seconds):.2f} s, {max(listed.seconds):.2f} s"),
            Row("processor, `crew --help`, `crew findings`", f"{told.cpu:.2f} s, {listed.cpu:.2f} s"),
            Row("load of the machine meanwhile", f"{os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"),
        ],
    )


def _fill(folder: Path) -> None:
    """A database as a bad day leaves it: every code in turn, with evidence."""
    engine = open_database(f"sqlite:///{folder / 'crew.db'}")
    now, names = utc_now(), sorted(codes())
    lines = [Evidence(source="bench", text=f"line {n} of the evidence", observed_at=now) for n in range(8)]
    found = [
        finding(
            names[number % len(names)],
            Subject(system="bitbucket", kind="branch", scope=f"acme/shop{number}", name="main"),
            f"#{number} failed in step 'Test'",
            evidence=lines,
        )
        for number in range(FINDINGS)
    ]
    Ledger(engine, utc_now).observe("bench", found, complete=True)
    engine.dispose()


def _waiting(folder: str, *command: str | Path) -> Waiting:
    _run(folder, command)
    runs = sorted(_run(folder, command) for _ in range(RUNS))
    return Waiting(tuple(seconds for seconds, _ in runs), runs[RUNS // 2][1])


def _run(folder: str, command: tuple[str | Path, ...]) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    before, began = os.times(), time.perf_counter()
    subprocess.run(
        command,
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": folder},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    seconds, after = time.perf_counter() - began, os.times()
    return seconds, after.children_user + after.children_system - before.children_user - before.children_system
