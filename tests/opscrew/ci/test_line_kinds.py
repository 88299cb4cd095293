"""line_kinds.yaml: every kind finds its own example, and features have the names that the weights use."""

from __future__ import annotations

import io

import pytest

from opscrew.ci.line_features import features
from opscrew.ci.line_kinds import LineKind, line_kinds
from opscrew.ci.line_scores import neighbourhood, scores, weights
from opscrew.ci.line_trees import trees
from opscrew.ci.log_lines import read_lines


@pytest.mark.parametrize("kind", line_kinds().kinds, ids=lambda kind: kind.name)
def test_every_kind_finds_its_example(kind: LineKind) -> None:
    found = line_kinds().match([kind.example])[0]
    assert found[line_kinds().names().index(kind.name)]


def test_names_are_given_once() -> None:
    names = line_kinds().names()
    assert len(set(names)) == len(names)


def test_every_weight_and_tree_belongs_to_a_feature() -> None:
    lines = read_lines(io.BytesIO(b"one\ntwo\n"))
    names, values = features(lines)
    more, _ = neighbourhood(names, values, values[:, 0])
    assert set(weights().first) <= set(names)
    assert set(trees().features) <= {*names, *more}


def test_features_and_scores_are_finite_for_strange_logs() -> None:
    for text in (b"", b"\n\n\n", b"x", b"\x00\x1b[", b"error\n" * 3, b"$ make\n" * 50):
        lines = read_lines(io.BytesIO(text))
        assert abs(scores(lines)).max() < 1e6
