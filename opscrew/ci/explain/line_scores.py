"""How much each line explains, from its named features, in two rounds.

The first round scores every line by a weighted sum of its own features. The second looks at the best few hundred again:
small trees decide over the same features and over how a line's score compares with the best of the log and with its
neighbours', which is what turns single lines into whole messages and stack traces. Weights and trees are data
(line_weights.yaml, line_trees.json), fitted on logs whose explaining lines people have marked
(`python -m bench.fit_explain`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import BaseModel, ConfigDict

from opscrew.ci.explain.line_features import Numbers
from opscrew.ci.explain.line_trees import LineTrees, trees
from opscrew.strict_yaml import load_strictly

WEIGHTS_FILE = Path(__file__).with_name("line_weights.yaml")

UNIT = 5.0
"""Score differences are divided by this, so that features of both rounds are of similar size."""

BEST_LINES = 60
"""The log's best lines of the first round, whose density around a line counts in the second."""

CANDIDATES = 800
"""Lines that the second round looks at. They hold 97 % of what people marked, on projects that no weight saw."""

NO_CANDIDATE = -50.0
"""The score of all other lines: below any that trees give."""

UNSEEN_WORTH = 8.0
"""What being absent from a passing log of the same step adds to a line's score: more than any wording can."""

NEAR = (1, 2, 4, 8, 16)
DENSITY = (3, 10, 30)


class LineWeights(BaseModel):
    """line_weights.yaml: the weight of each feature in the first round. One that is not named counts nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: dict[str, float]


def scores(names: list[str], values: Numbers, unseen: list[bool]) -> Numbers:
    """One score a line, from its features (line_features.py) and whether a passing log lacks it. Only differences
    within one log mean something: 1 is a factor of e in likelihood."""
    first = _weighted(names, values, weights().first)
    return second_round(names, values, first, np.array(unseen, np.bool_), trees())


def second_round(
    names: list[str], values: Numbers, first: Numbers, unseen: npt.NDArray[np.bool_], by: LineTrees
) -> Numbers:
    """The scores by trees of the lines that the first round found worth it; ``NO_CANDIDATE`` for all others."""
    rows = candidates(first, unseen)
    more_names, more = neighbourhood(names, values, first, rows)
    score = np.full(len(first), NO_CANDIDATE, np.float32)
    score[rows] = by.scores(names + more_names, np.column_stack((values[rows], more)))
    return score


def candidates(first: Numbers, unseen: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """The best lines of the first round, in the order of the log. ``unseen`` are those that a passing log lacks."""
    best: npt.NDArray[np.intp] = np.argsort(-(first + UNSEEN_WORTH * unseen), kind="stable")[:CANDIDATES]
    return np.sort(best)


def _weighted(names: list[str], values: Numbers, which: dict[str, float]) -> Numbers:
    """One sum a line, added up in one fixed order, so that the same log gives the same score on every machine."""
    by_column = np.array([which.get(name, 0.0) for name in names], np.float32)
    total: Numbers = np.einsum("ij,j->i", values, by_column)
    return total


@cache
def weights() -> LineWeights:
    """The weights as the file has them; read once."""
    return load_strictly(WEIGHTS_FILE, LineWeights)


def neighbourhood(
    names: list[str], values: Numbers, first: Numbers, rows: npt.NDArray[np.intp]
) -> tuple[list[str], Numbers]:
    """Features of the second round for the lines ``rows``: a line's first score beside the log's best, its neighbours'
    and its paragraph's."""
    below = (first - first.max()) / UNIT
    rank = np.empty(len(below), np.int64)
    rank[np.argsort(-below, kind="stable")] = np.arange(len(below))
    best = (rank < BEST_LINES).astype(np.float32)
    columns: dict[str, npt.NDArray[Any]] = {"below_best": below[rows], "rank": np.log1p(rank[rows]) / 8}
    for reach in NEAR:
        around = sliding_window_view(np.pad(below, reach, constant_values=below.min()), 2 * reach + 1)[rows]
        columns[f"best_within_{reach}"] = around.max(axis=1)
        columns[f"mean_within_{reach}"] = around.mean(axis=1)
        columns[f"best_before_{reach}"] = around[:, : reach + 1].max(axis=1)
    for reach in DENSITY:
        columns[f"density_within_{reach}"] = sliding_window_view(np.pad(best, reach), 2 * reach + 1)[rows].mean(axis=1)
    breaks = (values[:, names.index("role_blank")] + values[:, names.index("role_marker")]) > 0
    paragraph = np.cumsum(breaks)
    size = np.maximum(np.bincount(paragraph), 1)
    paragraph_best = np.full(len(size), below.min(), np.float32)
    np.maximum.at(paragraph_best, paragraph, below)
    columns["paragraph_best"] = paragraph_best[paragraph[rows]]
    columns["paragraph_mean"] = (np.bincount(paragraph, below) / size)[paragraph[rows]]
    columns["paragraph_density"] = (np.bincount(paragraph, best) / size)[paragraph[rows]]
    return list(columns), np.column_stack([column.astype(np.float32) for column in columns.values()])
