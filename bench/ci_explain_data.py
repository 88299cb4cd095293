"""The logs whose explaining lines people have marked, read as `crew ci explain` reads them."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from opscrew.ci.explain.log_lines import LogLines, read_lines

FILES = ("b_logchunks.jsonl", "b_log_chunk.jsonl")


@dataclass
class MarkedLog:
    """One row of the data: kept lines, the marked line numbers or texts that must be shown, and where it comes from."""

    identifier: str
    source: str
    project: str
    lines: LogLines
    numbers: frozenset[int]
    needles: tuple[str, ...]
    has_passing: bool
    path: Path

    def text(self) -> str:
        """The whole log; bytes that are no UTF-8 come back from it as they were."""
        with gzip.open(self.path) as log:
            return log.read().decode("utf-8", "surrogateescape")

    @property
    def learn(self) -> bool:
        """Whether weights can be fitted to it: something marked is among the kept lines."""
        return bool(self.marked().any())

    def marked(self) -> npt.NDArray[np.bool_]:
        """Of each kept line whether people marked it, or whether it names a test that must be shown."""
        if self.needles:
            return np.array([any(needle in text for needle in self.needles) for text in self.lines.texts], np.bool_)
        return np.array([number in self.numbers for number in self.lines.numbers], np.bool_)


def marked_logs(data: Path) -> list[MarkedLog]:
    """Every row of the development split."""
    return [_read(data, row) for name in FILES for row in _rows(data / name)]


def _rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _read(data: Path, row: dict[str, object]) -> MarkedLog:
    passing = row.get("pass_log")
    with gzip.open(data / str(row["log"])) as log:
        if passing:
            with gzip.open(data / str(passing)) as passed:
                lines = read_lines(log, passed)  # type: ignore[arg-type]
        else:
            lines = read_lines(log)  # type: ignore[arg-type]
    ranges: list[list[int]] = row["error_ranges"]  # type: ignore[assignment]
    needles: list[str] = row.get("must_contain") or []  # type: ignore[assignment]
    return MarkedLog(
        identifier=str(row["id"]),
        source=str(row["source"]),
        project=str(row["project"]),
        lines=lines,
        numbers=frozenset(number for low, high in ranges for number in range(low, high + 1)),
        needles=tuple(needles),
        has_passing=bool(passing),
        path=data / str(row["log"]),
    )
