"""line_kinds.yaml: every kind finds its own example, and features have the names that the weights use."""

from __future__ import annotations

import io

import numpy as np
import pytest

from opscrew.ci.explain.line_features import features
from opscrew.ci.explain.line_kinds import LineKind, line_kinds
from opscrew.ci.explain.line_scores import neighbourhood, scores, weights
from opscrew.ci.explain.line_trees import trees
from opscrew.ci.explain.log_lines import read_lines


@pytest.mark.parametrize("kind", line_kinds().kinds, ids=lambda kind: kind.name)
def test_every_kind_finds_its_example(kind: LineKind) -> None:
    found = line_kinds().match([kind.example])[0]
    assert found[line_kinds().names().index(kind.name)]


@pytest.mark.parametrize(
    "line",
    [
        "[info] - adds up the prices *** FAILED ***",
        "!! 12 - orders/total.scala    [output differs]",
        "/src/OrderTests.m:31: error: -[OrderTests testTotal] : 3 is not 4",
        "Test Case '-[OrderTests testTotal]' failed (0.002 seconds).",
        "  Failed Acme.OrderTests.Total [12 ms]",
        "//orders:total_test    FAILED in 0.3s",
        "rspec ./spec/order_spec.rb:31 # Order adds up",
        "cucumber features/order.feature:9 # Scenario: an order adds up",
        "Order adds up | FAIL |",
        "00:01 +4 -1: adds up the prices [E]",
        " 7/12 Test  #7: order_total ......***Failed    0.01 sec",
        "   7 - order_total (Failed)",
        "XPASS: tests/order.sh",
        "FAIL: tests/order.sh 4 - adds up",
        "t/order.t ............ Dubious, test returned 1 (wstat 256, 0x100)",
        "#   Failed test 'adds up'",
        "order_SUITE:total failed on line 31",
        "FAIL in (order-adds-up) (order_test.clj:31)",
        "Test Failed at /src/test/runtests.jl:31",
        "── 1. Failure: adds up (@test-order.R#31) ──",
        "Failure → spec/order_spec.lua @ 31",
    ],
)
def test_a_failed_test_is_known_by_its_runner_s_words(line: str) -> None:
    found = line_kinds().match([line])[0]
    assert found[line_kinds().names().index("failed_test_name")]


@pytest.mark.parametrize("line", ["7/12 Test  #7: order_total ......   Passed", "t/order.t .... ok", "# adds up"])
def test_a_passed_test_is_no_failed_one(line: str) -> None:
    found = line_kinds().match([line])[0]
    assert not found[line_kinds().names().index("failed_test_name")]


def test_what_begins_a_line_is_not_looked_for_in_the_middle() -> None:
    kinds = line_kinds()
    numbered = kinds.names().index("numbered_failure")
    found = kinds.match(["  1) adds up", "see 1) adds up", "  1) adds up"])
    assert found[:, numbered].tolist() == [True, False, True]
    assert kinds.match([]).shape == (0, len(kinds.kinds))


def test_a_kind_that_could_never_match_is_refused() -> None:
    with pytest.raises(ValueError, match="adds_up needs begins, pattern or both"):
        LineKind(name="adds_up", role="noise", example="adds up")


def test_names_are_given_once() -> None:
    names = line_kinds().names()
    assert len(set(names)) == len(names)


def test_every_weight_and_tree_belongs_to_a_feature() -> None:
    lines = read_lines(io.BytesIO(b"one\ntwo\n"))
    names, values = features(lines)
    more, _ = neighbourhood(names, values, values[:, 0], np.arange(len(values)))
    assert set(weights().first) <= set(names)
    assert set(trees().features) <= {*names, *more}


def test_features_and_scores_are_finite_for_strange_logs() -> None:
    for text in (b"x", b"\x00\x1b[", b"error\n" * 3, b"$ make\n" * 50 + b"x"):
        lines = read_lines(io.BytesIO(text))
        assert abs(scores(*features(lines), lines.unseen)).max() < 1e6
