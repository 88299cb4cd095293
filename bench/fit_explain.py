"""`python -m bench.fit_explain`: fits opscrew/ci/line_weights.yaml to logs whose explaining lines people have marked.

The loss is that of ranking: within each log, the marked lines should win against all others (cross-entropy over the
log's lines), every log counting the same. Five folds that never split a project give the first round's scores that the
second round learns from, and the held-out scores that `python -m bench ci_explain` reports.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bench.ci_explain_data import MarkedLog, marked_logs
from opscrew.ci.line_features import features
from opscrew.ci.line_scores import WEIGHTS_FILE, neighbourhood

FOLDS = 5
STEPS = 260
FAR_LINES = 250
"""Lines far from the marked ones that are drawn per log; they are weighted up to stand for all."""
NEAR_LINES = 40
MARKED_LINES = 100
FIRST_DECAY, SECOND_DECAY = 0.01, 0.003
"""Weight decay of the two rounds, chosen on the folds."""
SMALLEST = 0.004
"""Weights whose feature moves a score by less than this (per standard deviation) are left out of the file."""

Numbers = npt.NDArray[np.float32]


@dataclass
class Example:
    """One log ready for fitting: its features, and for each kept line whether it is marked."""

    log: MarkedLog
    names: list[str]
    values: Numbers
    marked: npt.NDArray[np.bool_]


def example_of(log: MarkedLog) -> Example:
    names, values = features(log.lines)
    return Example(log, names, values, log.marked())


def fold_of(logs: list[MarkedLog]) -> list[int]:
    """A fold for each log; all logs of a project are in the same one, and the draw is seeded."""
    projects = sorted({log.project for log in logs})
    np.random.default_rng(0).shuffle(projects)
    number = {project: index % FOLDS for index, project in enumerate(projects)}
    return [number[log.project] for log in logs]


def _draw(example: Example, random: np.random.Generator) -> tuple[npt.NDArray[np.intp], Numbers, Numbers]:
    """Lines to learn from, the share of the target that each carries, and the logarithm of how many it stands for."""
    marked = np.flatnonzero(example.marked)
    low, high = marked.min() - NEAR_LINES, marked.max() + NEAR_LINES
    if len(marked) > MARKED_LINES:
        marked = np.concatenate((marked[:30], random.choice(marked[30:], MARKED_LINES - 30, replace=False)))
    others = np.flatnonzero(~example.marked)
    is_near = (others > low) & (others < high)
    near, far = others[is_near], others[~is_near]
    if len(near) > 400:
        near = random.choice(near, 400, replace=False)
    drawn = random.choice(far, min(FAR_LINES, len(far)), replace=False)
    target = np.concatenate((np.full(len(marked), 1 / len(marked)), np.zeros(len(near) + len(drawn))))
    stands_for = np.concatenate(
        (np.zeros(len(marked) + len(near)), np.full(len(drawn), np.log(max(1, len(far)) / max(1, len(drawn)))))
    )
    rows = np.concatenate((marked, near, drawn))
    return rows, target.astype(np.float32), stands_for.astype(np.float32)


def fit(values: list[Numbers], examples: list[Example], decay: float) -> tuple[Numbers, Numbers]:
    """Weights by column, and each column's standard deviation. Full-batch Adam; the loss is convex."""
    random = np.random.default_rng(0)
    parts = [(value, *_draw(example, random)) for value, example in zip(values, examples, strict=True)]
    table = np.concatenate([value[rows] for value, rows, _, _ in parts])
    target = np.concatenate([part[2] for part in parts])
    stands_for = np.concatenate([part[3] for part in parts])
    starts = np.cumsum([0, *(len(part[1]) for part in parts)])
    log_of_row = np.repeat(np.arange(len(parts)), np.diff(starts))
    spread = table.std(axis=0) + np.float32(0.01)
    table = (table - table.mean(axis=0)) / spread
    weights = np.zeros(table.shape[1], np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        score = table @ weights + stands_for
        score = np.exp(score - np.maximum.reduceat(score, starts[:-1])[log_of_row])
        share = score / np.add.reduceat(score, starts[:-1])[log_of_row]
        slope = table.T @ (share - target) / len(parts) + decay * weights
        mean = 0.9 * mean + 0.1 * slope
        square = 0.99 * square + 0.01 * slope**2
        rate = 0.06 if step < STEPS * 0.6 else 0.02
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-6)
    return (weights / spread).astype(np.float32), spread


def held_out(examples: list[Example], learn: list[bool], folds: list[int]) -> tuple[list[Numbers], list[Numbers]]:
    """First-round and final scores of every log, each from weights that saw no log of its project."""
    values = [example.values for example in examples]
    first = _by_fold(values, examples, learn, folds, FIRST_DECAY)
    second_values = [
        np.column_stack((example.values, neighbourhood(example.names, example.values, score)[1]))
        for example, score in zip(examples, first, strict=True)
    ]
    return first, _by_fold(second_values, examples, learn, folds, SECOND_DECAY)


def _by_fold(
    values: list[Numbers], examples: list[Example], learn: list[bool], folds: list[int], decay: float
) -> list[Numbers]:
    scores: list[Any] = [None] * len(examples)
    for fold in range(FOLDS):
        chosen = [index for index, other in enumerate(folds) if other != fold and learn[index]]
        weights, _ = fit([values[index] for index in chosen], [examples[index] for index in chosen], decay)
        for index, other in enumerate(folds):
            if other == fold:
                scores[index] = values[index] @ weights
    return scores


def _whole(examples: list[Example], first: list[Numbers]) -> dict[str, dict[str, float]]:
    """The weights that ship: from all logs to learn from; the second round learns from held-out first scores."""
    weights, spread = fit([example.values for example in examples], examples, FIRST_DECAY)
    names = examples[0].names
    more_names = neighbourhood(names, examples[0].values, first[0])[0]
    second_values = [
        np.column_stack((example.values, neighbourhood(names, example.values, score)[1]))
        for example, score in zip(examples, first, strict=True)
    ]
    second, second_spread = fit(second_values, examples, SECOND_DECAY)
    return {"first": _named(names, weights, spread), "second": _named(names + more_names, second, second_spread)}


def _named(names: list[str], weights: Numbers, spread: Numbers) -> dict[str, float]:
    return {
        name: round(float(weight), 3)
        for name, weight, deviation in zip(names, weights, spread, strict=True)
        if abs(weight * deviation) >= SMALLEST
    }


def main(data: Path, keep: Path | None) -> None:
    logs = marked_logs(data)
    examples = [example_of(log) for log in logs]
    folds = fold_of(logs)
    learn = [log.learn for log in logs]
    first, final = held_out(examples, learn, folds)
    if keep is not None:
        keep.write_bytes(pickle.dumps(final))
    taught = [index for index, yes in enumerate(learn) if yes]
    rounds = _whole([examples[index] for index in taught], [first[index] for index in taught])
    lines = [
        "# How much each feature of a line counts (line_features.py and line_scores.py say what the features are).",
        "# Written by `python -m bench.fit_explain`: run it again after a change of line_kinds.yaml.",
    ]
    for name, weights in rounds.items():
        lines.append(f"{name}:")
        lines.extend(f"  {feature}: {weight}" for feature, weight in weights.items())
    WEIGHTS_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {WEIGHTS_FILE.name}: {sum(map(len, rounds.values()))} weights from {len(taught)} logs")


if __name__ == "__main__":
    folder = Path(os.environ.get("BENCH_DATA", Path(__file__).resolve().parents[2] / "shared" / "bench"))
    if not folder.is_dir():
        sys.exit(f"fit_explain: no data folder {folder} (set BENCH_DATA)")
    main(folder, Path(sys.argv[1]) if len(sys.argv) > 1 else None)
