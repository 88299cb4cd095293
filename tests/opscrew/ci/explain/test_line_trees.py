"""Trees as data: how lines go through them, and what is refused."""

from __future__ import annotations

import numpy as np
import orjson
import pytest

from opscrew.ci.explain.line_trees import trees, trees_from

STUMP = [[0, 0.5, 1, 2], [-1.0], [2.0]]
DEEP = [[1, 0.5, 1, 2], [10.0], [0, 0.0, 3, 4], [20.0], [30.0]]


def made(*forest: list[list[float]], features: tuple[str, ...] = ("strong", "rank")) -> bytes:
    return orjson.dumps({"features": features, "trees": forest})


def test_a_line_gets_the_sum_of_its_leaves() -> None:
    found = trees_from(made(STUMP, DEEP))
    values = np.array([[0.5, 0.5], [0.6, 0.5], [0.0, 0.9], [1.0, 0.9]], np.float32)
    assert found.scores(["strong", "rank"], values).tolist() == [9.0, 12.0, 19.0, 32.0]


def test_columns_are_found_by_name_whatever_their_order() -> None:
    found = trees_from(made(STUMP))
    values = np.array([[9.0, 0.0, 9.0], [0.0, 9.0, 0.0]], np.float32)
    assert found.scores(["more", "strong", "rank"], values).tolist() == [-1.0, 2.0]


def test_no_lines_give_no_scores() -> None:
    assert trees().scores(list(trees().features), np.empty((0, len(trees().features)), np.float32)).tolist() == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        orjson.dumps({"features": ["a"], "trees": []}),
        made([[0, 0.5, 0, 1], [1.0]]),  # a node that leads to itself would never end
        made([[0, 0.5, 1, 7], [1.0]]),
        made([[5, 0.5, 1, 2], [1.0], [2.0]]),
        made([[0, 0.5]]),
    ],
)
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError):
        trees_from(content)
