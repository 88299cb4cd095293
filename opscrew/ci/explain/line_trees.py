"""Boosted decision trees as plain data, and what they say of lines: the second round of line_scores.py.

A sum of weights cannot say "an error label, but not among hundreds of its like far above the failing command"; small
trees over the same named features can. They are fitted by `python -m bench.fit_explain` and kept as JSON, so that
nothing but numpy is needed to read a log.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
import orjson

TREES_FILE = Path(__file__).with_name("line_trees.json")

Numbers = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class LineTrees:
    """``features`` are the columns' names. The tables have one row a tree and one column a node, the root first.

    A line goes to ``left`` where its value of column ``feature`` is at most ``threshold``, else to ``right``. A leaf
    leads to itself and has a ``value``; the sum of the values over the trees is the line's score.
    """

    features: tuple[str, ...]
    feature: Places
    threshold: Numbers
    left: Places
    right: Places
    value: Numbers
    depth: int

    def scores(self, names: list[str], values: Numbers) -> Numbers:
        """One score for each row of ``values``, whose columns are called ``names``."""
        by_name = {name: column for column, name in enumerate(names)}
        # One row a feature, and flat places of nodes and cells: an index of one dimension is quick, one of two is not.
        table = np.ascontiguousarray(values[:, [by_name[name] for name in self.features]].T)
        root = (np.arange(len(self.feature)) * self.feature.shape[1])[:, None]
        children = np.stack((self.left + root, self.right + root), axis=-1).ravel()
        row, column = self.feature.ravel() * table.shape[1], np.arange(table.shape[1])
        node = root
        for _ in range(self.depth):
            goes_right = table.ravel().take(row.take(node) + column) > self.threshold.ravel().take(node)
            node = children.take(2 * node + goes_right)
        # Added up in one fixed order, so that the same log gives the same score.
        by_line = np.ascontiguousarray(self.value.ravel().take(node).T)
        total: Numbers = by_line.sum(axis=1, dtype=np.float32)
        return total


def trees_from(content: bytes) -> LineTrees:
    """From JSON: ``features``, and ``trees`` as lists of nodes ``[feature, threshold, left, right]`` or ``[value]``.

    Raises ``ValueError`` for anything else.
    """
    raw = orjson.loads(content)
    try:
        names, trees = tuple(map(str, raw["features"])), raw["trees"]
        shape = (len(trees), max(map(len, trees)))
        feature, left, right = (np.zeros(shape, np.intp) for _ in range(3))
        threshold, value = (np.zeros(shape, np.float32) for _ in range(2))
        depth = 0
        for tree, nodes in enumerate(trees):
            level = [0] * len(nodes)
            for place, node in enumerate(nodes):
                if len(node) == 1:
                    left[tree, place] = right[tree, place] = place
                    value[tree, place] = node[0]
                    depth = max(depth, level[place])
                    continue
                column, threshold[tree, place], low, high = node
                if not (place < low < len(nodes) and place < high < len(nodes) and 0 <= column < len(names)):
                    raise ValueError(f"tree {tree} leads nowhere at node {place}")
                feature[tree, place], left[tree, place], right[tree, place] = column, low, high
                level[low] = level[high] = level[place] + 1
    except (KeyError, TypeError, IndexError) as problem:
        raise ValueError(f"no trees: {problem}") from problem
    return LineTrees(names, feature, threshold, left, right, value, depth)


@cache
def trees() -> LineTrees:
    """The trees as the file has them; read once."""
    return trees_from(TREES_FILE.read_bytes())
