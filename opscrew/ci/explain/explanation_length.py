"""How many lines explain a failure, and so where to stop showing them.

A compiler's complaint is one line, a failed test with its trace forty. A stop at one distance from the best line shows
too much of the first and too little of the second. The score of the lines tells which it is: how fast it falls behind
the best line, and what the best lines are. From that a weighted sum says how much longer than usual the explanation
will be (length_weights.yaml, fitted by `python -m bench.fit_explain`), and the stop follows from what a further line
may still add.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from opscrew.ci.explain.line_features import Numbers
from opscrew.strict_yaml import load_strictly

WEIGHTS_FILE = Path(__file__).with_name("length_weights.yaml")

SURE_FOR = 2.0
"""A line whose score is this much below the best one's belongs to an explanation of usual length as often as not."""

SHORT = -0.6
"""Expected to be about half as long as usual, or shorter: an explanation of a few lines."""

RECALL_WORTH, RECALL_WORTH_IF_SHORT = 8.0, 2.5
"""How much more a found line is worth than a spared one. A long explanation that lacks its end costs more than some
lines too many; where one or two lines tell it, those are lost among many. On projects that were not learnt from, one
worth of 4.4 for all finds 87.1 % of what people marked (F1 0.436), but shows 13 lines (median) where two or fewer are
marked. These two find 85.1 % (0.434) and show 8 there; with 1.5 for short ones it is 82.7 % (0.441) and 6 lines, and
10 or 20 for long ones find no more. All of them show 40 to 42 lines on average."""

FEWEST = 3
"""A single line is rarely enough for a person to understand a failure, so up to this many are always shown."""

FARTHEST = 10.0
"""Scores are compared down to this much below the best; what is worse is all alike."""

RANKS = (1, 2, 4, 8, 16, 32, 59)
"""Places behind the best line at which the fall of the score is looked at."""

NEAR_SCORES = (2.5, 3.5)
OF_THE_BEST = (
    # What the best lines are and stand beside: a named test has a trace below it, a tool's last words do not.
    "named_1_to_1",
    "named_-1_to_-1",
    "role_named",
    "named_in_log",
    "to_exit",
    "assertion",
    "marker_5_to_12",
    "epilogue_2_to_4",
    "role_strong",
    "role_headline",
    "from_end",
    "said_first",
)
"""Features of lines (line_features.py), of which the mean over the best lines counts."""

BEST_LINES = 5


class LengthWeights(BaseModel):
    """length_weights.yaml: what each sign adds to the logarithm of the length, compared with the usual one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    constant: float
    signs: dict[str, float]

    def longer(self, signs: dict[str, float]) -> float:
        """How much longer than usual, as a logarithm: 0 is the usual length, 1 nearly three times as many lines."""
        return self.constant + sum(self.signs.get(name, 0.0) * sign for name, sign in signs.items())


@cache
def length_weights() -> LengthWeights:
    """The weights as the file has them; read once."""
    return load_strictly(WEIGHTS_FILE, LengthWeights)


def signs_of_length(names: list[str], values: Numbers, score: Numbers, total_lines: int) -> dict[str, float]:
    """Named numbers that tell a short explanation from a long one. ``score`` is minus infinity where nothing explains,
    and finite somewhere."""
    order = np.argsort(-score, kind="stable")[: RANKS[-1] + 1]
    below = np.full(RANKS[-1] + 1, FARTHEST)
    below[: len(order)] = np.minimum(score[order[0]] - score[order], FARTHEST)
    best = values[order[np.isfinite(score[order])][:BEST_LINES]].mean(axis=0)
    signs = {f"below_best_at_{rank}": float(below[rank]) for rank in RANKS}
    signs |= {f"lines_within_{near}": float(np.log1p((below < near).sum())) for near in NEAR_SCORES}
    signs["lines_in_a_row"] = float(np.log1p(_in_a_row(score, int(order[0]))))
    signs["lines_of_log"] = float(np.log1p(total_lines))
    signs |= {f"best_{name}": float(best[names.index(name)]) for name in OF_THE_BEST}
    return signs


def _in_a_row(score: Numbers, best: int) -> int:
    """Lines that stand without a gap around the best one and are nearly as good."""
    good = score >= score[best] - NEAR_SCORES[0]
    gaps = np.flatnonzero(~good)
    place = int(np.searchsorted(gaps, best))
    first = int(gaps[place - 1]) + 1 if place else 0
    last = int(gaps[place]) - 1 if place < len(gaps) else len(score) - 1
    return last - first


def lines_worth_showing(below_best: npt.NDArray[np.floating[Any]], longer: float) -> int:
    """How many of the best lines to show, given how much each one's score is below the best, in that order.

    Each line belongs to the explanation with a chance that falls with its score. As many are shown as give the highest
    F-measure to be expected of them, in which finding counts ``RECALL_WORTH`` times as much as sparing.
    """
    worth = RECALL_WORTH_IF_SHORT if longer < SHORT else RECALL_WORTH
    chance = 1 / (1 + np.exp(below_best - SURE_FOR - longer))
    shown = np.arange(1, len(chance) + 1)
    measure = np.cumsum(chance) / (shown + worth**2 * chance.sum())
    return max(min(FEWEST, len(chance)), int(np.argmax(measure)) + 1)
