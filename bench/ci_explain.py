"""How well and how fast `crew ci explain` finds the lines that people marked.

Tuned numbers use the shipped weights, which were fitted to these logs; held-out numbers come from weights that saw no
log of the same project (bench/fit_explain.py). What a passing log adds is a fixed rule that is not fitted at all.
"""

from __future__ import annotations

import io
import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np

from bench.ci_explain_data import MarkedLog, marked_logs
from bench.ci_frames import explain_rows
from bench.fit_explain import example_of, fold_of, held_out, held_out_lengths
from bench.section import Row, Section, at_least, at_most
from opscrew.ci.explain.lines import ExplainedLine, choose, choose_by, explain, final_scores

BUDGET = 60
FEW = 2
"""Marked lines of a short explanation."""

EVERY = 5
"""Of so many logs one is wrapped in every frame: all of them would take ten minutes."""

MEGABYTE = 1 << 20

PARTS = (
    ("LogChunks recall", "LogChunks", "recall", 0.85, "tail-60 0.49; before the failed command 0.66"),
    ("LogChunks F1", "LogChunks", "f1", 0.40, "tail-60 0.13; published, with in-project examples 0.51"),
    ("cidiff F1, with passing log", "cidiff", "f1", 0.58, "unseen lines and keywords 0.51; two raters 0.67"),
    ("BugSwarm needle recall", "bugswarm", "recall", 0.85, "tail-200 0.78; keyword-100 0.76"),
)


def measure(data: Path) -> Section:
    """The section of docs/BENCHMARKS.md. Takes some minutes: the held-out numbers need thirty fits."""
    logs = marked_logs(data)
    examples = [example_of(log) for log in logs]
    folds = fold_of(logs)
    final = held_out(examples, [log.learn for log in logs], folds)
    longer = held_out_lengths(examples, final, folds)
    tuned = _by_source(logs, [_numbers(choose(log.lines, BUDGET, has_passing=log.has_passing)[0]) for log in logs])
    held = _by_source(logs, [_held_out(*each) for each in zip(logs, final, longer, strict=True)])
    rows = []
    for what, source, measure_name, target, reference in PARTS:
        rows.append(at_least(f"{what}, held-out projects", held[source][measure_name], target, reference))
        rows.append(Row(f"{what}, shipped weights", f"{tuned[source][measure_name]:.3f}"))
    for source in ("pytorch", "treeherder"):
        rows.append(Row(f"{source} recall, held-out", f"{held[source]['recall']:.3f}"))
    rows.append(Row("LogChunks, lines shown", f"{held['LogChunks']['lines']:.1f}", "≤ 60"))
    shown = [len(_held_out(*each)) for each in zip(logs, final, longer, strict=True) if 0 < len(each[0].numbers) <= FEW]
    rows.append(at_most(f"lines shown where {FEW} or fewer are marked, median", statistics.median(shown), 8, digits=0))
    rows += explain_rows([log for log in logs if "LogChunks" in log.source][::EVERY], _recall_and_f1)
    return Section(
        name="ci_explain",
        title="Which lines explain a CI failure",
        intro=(
            f"{len(logs)} marked logs, five folds, no project in two of them. Recall is capped at {BUDGET} lines as in "
            "score.py; means over logs. The expected length, too, is learnt from the other folds, from scores that are "
            "held out there. What a passing log adds is a fixed rule, not fitted."
        ),
        rows=[*rows, *_speed()],
    )


def _held_out(log: MarkedLog, score: np.ndarray, longer: float) -> list[int]:
    if not any(log.lines.texts):
        return []
    score = final_scores(score, log.lines, has_passing=log.has_passing)
    return _numbers(choose_by(score, longer, log.lines, BUDGET)[0])


def _numbers(lines: tuple[ExplainedLine, ...]) -> list[int]:
    return [line.number for line in lines]


def _by_source(logs: list[MarkedLog], shown: list[list[int]]) -> dict[str, dict[str, float]]:
    found: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for log, numbers in zip(logs, shown, strict=True):
        source = next(
            name for name in ("LogChunks", "cidiff", "bugswarm", "pytorch", "treeherder") if name in log.source
        )
        found[source].append((*_recall_and_f1(log, numbers), len(numbers)))
    return {
        source: dict(zip(("recall", "f1", "lines"), np.mean(values, axis=0).tolist(), strict=True))
        for source, values in found.items()
    }


def _recall_and_f1(log: MarkedLog, numbers: list[int]) -> tuple[float, float]:
    """As score.py counts them: a marked chunk larger than the budget counts as found when the budget is filled."""
    if log.needles:
        by_number = dict(zip(log.lines.numbers, log.lines.texts, strict=True))
        text = "\n".join(by_number[number] for number in numbers)
        return sum(needle in text for needle in log.needles) / len(log.needles), 0.0
    hits = len(set(numbers) & log.numbers)
    recall = min(1.0, hits / min(len(log.numbers), BUDGET))
    precision = hits / len(numbers) if numbers else 0.0
    return recall, 2 * precision * recall / (precision + recall) if hits else 0.0


def _build_log(megabytes: float) -> bytes:
    """A log of a long build with some failing tests, written for this measurement."""
    lines = []
    size = 0
    for number in range(10**9):
        line = f"[{number % 97:>2}%] Building object src/part_{number % 4000}/module_{number}.o with flags -O2 -Wall"
        if number % 211 == 0:
            line = f"src/part_{number % 4000}/module_{number}.c:{number % 500}:7: warning: unused variable 'spare'"
        if number % 1999 == 7:
            line = (
                f"FAILED tests/test_{number}.py::test_prices - AssertionError: expected {number} but got {number + 1}"
            )
        lines.append(line)
        size += len(line) + 1
        if size >= megabytes * MEGABYTE:
            return "\n".join(lines).encode()
    raise AssertionError("the loop above ends by size")


def _speed() -> list[Row]:
    """Measured in a fresh process, which the data of this one neither slows down nor makes larger."""
    small, large = _alone(1, 15), _alone(200, 1)
    return [
        at_most("1 MB log, processor time, median", small["processor_ms"], 50, "", 0, " ms"),
        Row("1 MB log, elapsed, best and median", f"{small['best_ms']:.0f} / {small['elapsed_ms']:.0f} ms"),
        at_most("200 MB log, peak memory of the process", large["peak_mb"], 150, "", 0, " MB"),
        Row("200 MB log, elapsed", f"{large['elapsed_ms'] / 1000:.1f} s"),
    ]


def _alone(megabytes: int, times: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ci_explain", str(megabytes), str(times)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).resolve().parents[1],
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measure_here(megabytes: int, times: int) -> dict[str, float]:
    """Milliseconds of explaining a log of this size once warm, and this process's peak memory in MB."""
    block = _build_log(1) + b"\n"
    elapsed, processor = [], []
    explain(io.BytesIO(block))
    for _ in range(times):
        begun, begun_processor = time.perf_counter(), time.process_time()
        explain(_Repeated(block, megabytes))  # type: ignore[arg-type]
        elapsed.append((time.perf_counter() - begun) * 1000)
        processor.append((time.process_time() - begun_processor) * 1000)
    # getrusage would show the parent's peak: Linux hands it on through fork and exec, but not this one.
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return {
        "elapsed_ms": statistics.median(elapsed),
        "best_ms": min(elapsed),
        "processor_ms": statistics.median(processor),
        "peak_mb": peak / 1024,
    }


class _Repeated:
    """The same megabytes over and over, as a stream that is never in memory as a whole."""

    def __init__(self, block: bytes, times: int) -> None:
        self.block, self.times = block, times

    def read(self, size: int = -1) -> bytes:
        self.times -= 1
        return self.block if self.times >= 0 else b""


if __name__ == "__main__":
    print(json.dumps(_measure_here(int(sys.argv[1]), int(sys.argv[2]))))
