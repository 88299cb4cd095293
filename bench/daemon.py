"""The daemon at rest: memory, processor time, and how fast it is back after kill -9."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bench.section import Row, Section, at_most
from opscrew.store.database import open_database
from opscrew.store.runs import latest_runs

ROOT = Path(__file__).resolve().parent.parent
SETTLE_SECONDS = 5
IDLE_SECONDS = 60
LONGEST_INDEX_SECONDS = 300
RESTARTS = 5
MB = 1024 * 1024


def measure(_data: Path) -> Section:
    """Runs the real `crew serve` with the shipped schedule and no system configured: what is left is the daemon."""
    with tempfile.TemporaryDirectory(prefix="crew-bench-") as folder:
        process, first = _start(Path(folder))
        try:
            indexed = _first_index(Path(folder))
            time.sleep(SETTLE_SECONDS)
            used, began = _cpu_seconds(process.pid), time.monotonic()
            time.sleep(IDLE_SECONDS)
            percent = 100 * (_cpu_seconds(process.pid) - used) / (time.monotonic() - began)
            memory = _memory(process.pid) / MB
            restarts = []
            for _ in range(RESTARTS):
                process.send_signal(signal.SIGKILL)
                process.wait()
                process, seconds = _start(Path(folder))
                restarts.append(seconds)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait(30)
            stopping = time.monotonic() - began
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    return Section(
        "daemon",
        "The daemon at rest",
        f"`crew serve` without any system configured, watched for {IDLE_SECONDS} s by /proc once the index of "
        "documents is made; a start ends with the first 200 from /readyz.",
        [
            at_most("memory (resident)", memory, 300, digits=0, unit=" MB"),
            at_most("processor, of one core", percent, 2, digits=2, unit=" %"),
            Row("first start, which makes the database", f"{first:.2f} s"),
            Row("the first index of documents, beside the other crews", f"{indexed:.1f} s"),
            at_most(f"start after kill -9, median of {RESTARTS}", statistics.median(restarts), 5, digits=2, unit=" s"),
            at_most(f"start after kill -9, slowest of {RESTARTS}", max(restarts), 5, digits=2, unit=" s"),
            at_most("stop on SIGTERM", stopping, 5, digits=2, unit=" s"),
        ],
    )


def _first_index(folder: Path) -> float:
    """Seconds from now until the crew `remembering` has run: it makes the index that later starts find."""
    began = time.monotonic()
    engine = open_database(f"sqlite:///{folder / 'crew.db'}")
    try:
        while not latest_runs(engine, "remembering", limit=1):
            if time.monotonic() - began > LONGEST_INDEX_SECONDS:
                raise RuntimeError("the index of documents was not made")
            time.sleep(0.2)
    finally:
        engine.dispose()
    return time.monotonic() - began


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], float]:
    environment = {"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder), "CREW_HTTP__PORT": "0"}
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "serve"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not _ready(folder, process.pid):
        if process.poll() is not None or time.monotonic() - began > 60:
            raise RuntimeError("crew serve did not become ready")
        time.sleep(0.01)
    return process, time.monotonic() - began


def _ready(folder: Path, pid: int) -> bool:
    try:
        owner = json.loads((folder / "crew.lock").read_text())
        if owner["pid"] != pid:
            return False
        with urllib.request.urlopen(owner["url"] + "/readyz", timeout=5) as answer:
            return answer.status == 200
    except (OSError, ValueError, KeyError):
        return False


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
