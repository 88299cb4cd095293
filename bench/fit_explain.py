"""`python -m bench.fit_explain`: fits opscrew/ci/line_weights.yaml to logs whose explaining lines people have marked.

The loss is that of ranking: within each log, the marked lines should win against all others (cross-entropy over the
log's lines), every log counting the same. Folds never split a project: they give the first round's scores that the
second round learns from, and the held-out scores that `python -m bench ci_explain` reports.
"""

from __future__ import annotations

import os
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
STEPS = 100
FAR_LINES = 120
"""Lines far from the marked ones that are drawn per log; they are weighted up to stand for all."""
NEAR_LINES = 30
MARKED_LINES = 60
FIRST_DECAY, SECOND_DECAY = 0.2, 0.1
"""Weight decay of the two rounds, chosen on the folds."""
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


def fit(values: list[Numbers], examples: list[Example], decay: float) -> Numbers:
    """A weight for each column. Full-batch Adam; the loss is convex."""
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
    result: Numbers = (weights / spread).astype(np.float32)
    return result


def held_out(examples: list[Example], learn: list[bool], folds: list[int]) -> list[Numbers]:
    """Scores of every log from weights that saw no log of its project in either round.

    For each fold both rounds are fitted anew to the other folds alone. Fitting the second round to first scores that
    were shared between folds would let it learn about the fold it is tested on.
    """
    scores: list[Any] = [None] * len(examples)
    for fold in range(FOLDS):
        chosen = [index for index, other in enumerate(folds) if other != fold and learn[index]]
        first, second = two_rounds([examples[index] for index in chosen], [folds[index] for index in chosen])
        for index, other in enumerate(folds):
            if other == fold:
                example = examples[index]
                scores[index] = _second_values(example, example.values @ first) @ second
    return scores


def two_rounds(examples: list[Example], folds: list[int]) -> tuple[Numbers, Numbers]:
    """Weights of both rounds. The second learns from first scores of weights that did not see the same project."""
    values = [example.values for example in examples]
    unseen: list[Any] = [None] * len(examples)
    for fold in sorted(set(folds)):
        chosen = [index for index, other in enumerate(folds) if other != fold]
        weights = fit([values[index] for index in chosen], [examples[index] for index in chosen], FIRST_DECAY)
        for index, other in enumerate(folds):
            if other == fold:
                unseen[index] = values[index] @ weights
    second_values = [_second_values(example, score) for example, score in zip(examples, unseen, strict=True)]
    return fit(values, examples, FIRST_DECAY), fit(second_values, examples, SECOND_DECAY)


def _second_values(example: Example, first: Numbers) -> Numbers:
    return np.column_stack((example.values, neighbourhood(example.names, example.values, first)[1]))


def _named(names: list[str], weights: Numbers) -> dict[str, float]:
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True) if abs(weight) >= 0.001}


def main(data: Path) -> None:
    logs = [log for log in marked_logs(data) if log.learn]
    examples = [example_of(log) for log in logs]
    first, second = two_rounds(examples, fold_of(logs))
    names = examples[0].names
    more_names = neighbourhood(names, examples[0].values, examples[0].values @ first)[0]
    rounds = {"first": _named(names, first), "second": _named(names + more_names, second)}
    lines = [
        "# How much each feature of a line counts (line_features.py and line_scores.py say what the features are).",
        "# Written by `python -m bench.fit_explain`: run it again after a change of line_kinds.yaml.",
    ]
    for name, weights in rounds.items():
        lines.append(f"{name}:")
        lines.extend(f"  {feature}: {weight}" for feature, weight in weights.items())
    WEIGHTS_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"wrote {WEIGHTS_FILE.name}: {sum(map(len, rounds.values()))} weights from {len(logs)} logs")


if __name__ == "__main__":
    folder = Path(os.environ.get("BENCH_DATA", Path(__file__).resolve().parents[2] / "shared" / "bench"))
    if not folder.is_dir():
        sys.exit(f"fit_explain: no data folder {folder} (set BENCH_DATA)")
    main(folder)
