"""Fits opscrew/ci/explain/length_weights.yaml: how long an explanation is, told from the scores of its lines."""

from __future__ import annotations

import numpy as np

from bench.ci_explain_data import MarkedLog
from opscrew.ci.explain.explanation_length import LengthWeights, signs_of_length
from opscrew.ci.explain.line_features import Numbers
from opscrew.ci.explain.lines import final_scores

RIDGE = 60.0
"""Penalty on the weights of standardised signs, about that of sixty logs that say nothing: there are ten times as many
logs as signs, but only thirty projects."""


def signs_of(log: MarkedLog, names: list[str], values: Numbers, score: Numbers) -> dict[str, float]:
    """The signs as `crew ci explain` sees them."""
    return signs_of_length(names, values, final_scores(score, log.lines, has_passing=log.has_passing), log.lines.length)


def tells_length(log: MarkedLog) -> bool:
    """Whether people marked the whole explanation, and not only a line or a name in it."""
    return "LogChunks" in log.source and bool(log.numbers) and any(log.lines.texts)


def fit_lengths(signs: list[dict[str, float]], lengths: list[int]) -> LengthWeights:
    """Ridge regression of the logarithm of ``lengths``, told as the difference from its mean."""
    names = list(signs[0])
    table = np.array([[one[name] for name in names] for one in signs])
    target = np.log(np.array(lengths, float))
    mean, spread = table.mean(axis=0), table.std(axis=0) + 1e-9
    standard = (table - mean) / spread
    weights = np.linalg.solve(standard.T @ standard + RIDGE * np.eye(len(names)), standard.T @ (target - target.mean()))
    by_name = {name: round(float(one), 4) for name, one in zip(names, weights / spread, strict=True)}
    return LengthWeights(constant=round(-float(mean @ (weights / spread)), 4), signs=by_name)
