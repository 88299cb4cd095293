"""`python -m bench.fit_explain`: fits the weights in opscrew/ci/explain (line_weights.yaml, line_trees.json and
length_weights.yaml) to logs whose explaining lines people have marked.

The loss of the first round is that of ranking: within each log, the marked lines should win against all others
(cross-entropy over the log's lines), every log counting the same. The second round boosts small trees on the lines that
the first one found worth a look. Folds never split a project: they give the first round's scores that the second round
learns from, the final scores that the expected length is learnt from, and the held-out numbers that
`python -m bench ci_explain` reports.
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
from bench.line_boosting import boosted
from bench.line_lengths import fit_lengths, signs_of, tells_length
from opscrew.ci.explain.explanation_length import WEIGHTS_FILE as LENGTH_FILE
from opscrew.ci.explain.explanation_length import LengthWeights
from opscrew.ci.explain.line_features import features
from opscrew.ci.explain.line_scores import WEIGHTS_FILE, candidates, neighbourhood, second_round
from opscrew.ci.explain.line_trees import TREES_FILE, LineTrees, trees_from

FOLDS = 5
STEPS = 100
FAR_LINES = 120
"""Lines far from the marked ones that are drawn per log; they are weighted up to stand for all."""
NEAR_LINES = 30
MARKED_LINES = 60
DECAY = 0.2
"""Weight decay of the first round, chosen on the folds."""
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
    """Scores of every log from weights and trees that saw no log of its project in either round.

    For each fold both rounds are fitted anew to the other folds alone. Fitting the second round to first scores that
    were shared between folds would let it learn about the fold it is tested on.
    """
    scores: list[Any] = [None] * len(examples)
    for fold in range(FOLDS):
        chosen = [index for index, other in enumerate(folds) if other != fold and learn[index]]
        weights, content = two_rounds([examples[index] for index in chosen], [folds[index] for index in chosen])
        trees = trees_from(content)
        for index, other in enumerate(folds):
            if other == fold:
                scores[index] = _scores(examples[index], weights, trees)
    return scores


def held_out_lengths(examples: list[Example], scores: list[Numbers], folds: list[int]) -> list[float]:
    """How much longer than usual each log's explanation is expected to be, by weights that saw no log of its project.
    They learn from held-out scores too, since scores of logs that were learnt from fall off more steeply."""
    longer = [0.0] * len(examples)
    for fold in range(FOLDS):
        learnt = [index for index, other in enumerate(folds) if other != fold]
        weights = lengths_of([examples[index] for index in learnt], [scores[index] for index in learnt])
        for index, other in enumerate(folds):
            if other == fold and any(examples[index].log.lines.texts) and not examples[index].log.has_passing:
                longer[index] = weights.longer(_signs(examples[index], scores[index]))
    return longer


def lengths_of(examples: list[Example], scores: list[Numbers]) -> LengthWeights:
    """Weights from the logs of which the whole explanation is marked."""
    telling = [(one, score) for one, score in zip(examples, scores, strict=True) if tells_length(one.log)]
    return fit_lengths([_signs(one, score) for one, score in telling], [len(one.log.numbers) for one, _ in telling])


def _signs(example: Example, score: Numbers) -> dict[str, float]:
    return signs_of(example.log, example.names, example.values, score)


def two_rounds(examples: list[Example], folds: list[int]) -> tuple[Numbers, bytes]:
    """Weights of the first round, and trees of the second as JSON. The second learns from first scores of weights that
    did not see the same project."""
    values = [example.values for example in examples]
    unseen: list[Any] = [None] * len(examples)
    for fold in sorted(set(folds)):
        chosen = [index for index, other in enumerate(folds) if other != fold]
        weights = fit([values[index] for index in chosen], [examples[index] for index in chosen], DECAY)
        for index, other in enumerate(folds):
            if other == fold:
                unseen[index] = values[index] @ weights
    tables, marks, names = [], [], list[str]()
    for example, first in zip(examples, unseen, strict=True):
        rows = candidates(first, np.array(example.log.lines.unseen, np.bool_))
        more_names, more = neighbourhood(example.names, example.values, first, rows)
        names = example.names + more_names
        tables.append(np.column_stack((example.values[rows], more)))
        marks.append(example.marked[rows])
    return fit(values, examples, DECAY), boosted(names, tables, marks)


def _scores(example: Example, weights: Numbers, trees: LineTrees) -> Numbers:
    unseen = np.array(example.log.lines.unseen, np.bool_)
    return second_round(example.names, example.values, example.values @ weights, unseen, trees)


def main(data: Path) -> None:
    logs = [log for log in marked_logs(data) if log.learn]
    examples = [example_of(log) for log in logs]
    folds = fold_of(logs)
    weights, trees = two_rounds(examples, folds)
    lengths = lengths_of(examples, held_out(examples, [True] * len(logs), folds))
    named = {name: round(float(one), 3) for name, one in zip(examples[0].names, weights, strict=True)}
    lines = [
        "# How much each feature of a line counts in the first round (line_features.py says what the features are).",
        "# Written by `python -m bench.fit_explain`: run it again after a change of line_kinds.yaml.",
        "first:",
        *(f"  {name}: {one}" for name, one in named.items() if one),
    ]
    WEIGHTS_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    TREES_FILE.write_bytes(trees)
    LENGTH_FILE.write_text("\n".join(_length_lines(lengths)) + "\n", encoding="utf-8")
    print(f"wrote {WEIGHTS_FILE.name}, {TREES_FILE.name} and {LENGTH_FILE.name} from {len(logs)} logs")


def _length_lines(lengths: LengthWeights) -> list[str]:
    return [
        "# How much longer than usual an explanation is expected to be: what each sign adds to the logarithm of its",
        "# length (explanation_length.py says what the signs are). Written by `python -m bench.fit_explain`.",
        f"constant: {lengths.constant}",
        "signs:",
        *(f"  {name}: {one}" for name, one in lengths.signs.items()),
    ]


if __name__ == "__main__":
    folder = Path(os.environ.get("BENCH_DATA", Path(__file__).resolve().parents[2] / "shared" / "bench"))
    if not folder.is_dir():
        sys.exit(f"fit_explain: no data folder {folder} (set BENCH_DATA)")
    main(folder)
