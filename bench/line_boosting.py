"""Fits the small trees of opscrew/ci/explain/line_trees.py and writes them as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

TREES = 150
SETTINGS = {
    # Small trees that many lines must agree on: with thirty projects, anything finer learns the projects by heart.
    "num_leaves": 8,
    "max_depth": 4,
    "min_child_samples": 300,
    "lambda_l2": 50,
    "learning_rate": 0.06,
    # Each tree sees a third of the features and two thirds of the lines, so that no single one carries the decision.
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "objective": "binary",
    # One thread adds up in one order, so that the same logs give the same trees.
    "seed": 1,
    "force_col_wise": True,
    "num_threads": 1,
    "verbose": -1,
}


def boosted(
    names: Sequence[str], tables: Sequence[npt.NDArray[np.float32]], marks: Sequence[npt.NDArray[np.bool_]]
) -> bytes:
    """Trees that tell marked lines from the others, as ``trees_from`` reads them.

    ``tables`` and ``marks`` have one entry a log. Every log counts the same, its marked lines as much as the others.
    Raises ``FileNotFoundError`` where the library that fits them cannot be loaded.
    """
    try:
        import lightgbm
    except OSError as problem:
        raise FileNotFoundError(f"{problem}: LightGBM needs the OpenMP library (libgomp1)") from problem
    weights = [np.where(marked, 1 / max(1, marked.sum()), 1 / max(1, (~marked).sum())) for marked in marks]
    weight = np.concatenate(weights)
    data = lightgbm.Dataset(
        np.concatenate(tables), np.concatenate(marks).astype(np.float32), weight=weight * len(weight) / weight.sum()
    )
    model = lightgbm.train(SETTINGS, data, TREES).dump_model()
    return orjson.dumps({"features": list(names), "trees": [_nodes(tree) for tree in model["tree_info"]]})


def _nodes(tree: dict[str, Any]) -> list[list[float]]:
    """The nodes of one tree in a list, parents before their children."""
    found: list[list[float]] = []

    def add(node: dict[str, Any]) -> int:
        place = len(found)
        found.append([])
        if "leaf_value" in node:
            found[place] = [round(node["leaf_value"], 5)]
        else:
            low, high = add(node["left_child"]), add(node["right_child"])
            found[place] = [node["split_feature"], round(node["threshold"], 6), low, high]
        return place

    add(tree["tree_structure"])
    return found
