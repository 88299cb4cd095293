"""Where to stop: short explanations are shown short, long ones long, and never fewer lines than a person needs."""

from __future__ import annotations

import io

import numpy as np
import pytest

from opscrew.ci.explain.explanation_length import (
    FEWEST,
    LengthWeights,
    length_weights,
    lines_worth_showing,
    signs_of_length,
)
from opscrew.ci.explain.line_features import features
from opscrew.ci.explain.line_scores import scores
from opscrew.ci.explain.lines import explain, final_scores
from opscrew.ci.explain.log_lines import read_lines

COMPILING = [f"gcc -O2 -c part{number}.c" for number in range(200)]
COMPLAINT = ["parser.c:41:7: error: use of undeclared identifier 'tokn'", "make: *** [Makefile:12: parser.o] Error 1"]
TRACE = [
    "--- FAIL: TestOrders (0.04s)",
    "panic: runtime error: index out of range [3] with length 3",
    "goroutine 7 [running]:",
    *(f"    /builds/acme/orders/part{number}.go:{number} +0x1f" for number in range(40)),
    "FAIL    acme/orders 0.051s",
]


def signs(lines: list[str]) -> dict[str, float]:
    kept = read_lines(io.BytesIO("\n".join(lines).encode()))
    names, values = features(kept)
    score = final_scores(scores(names, values, kept.unseen), kept, has_passing=False)
    return signs_of_length(names, values, score, kept.length)


def test_a_trace_is_expected_to_be_longer_than_a_complaint() -> None:
    weights = length_weights()
    assert weights.longer(signs([*COMPILING, *TRACE])) > weights.longer(signs([*COMPILING, *COMPLAINT])) + 0.5


def test_the_longer_an_explanation_is_expected_to_be_the_more_of_it_is_shown() -> None:
    below_best = np.linspace(0, 8, 60)
    shown = [lines_worth_showing(below_best, longer) for longer in (-2.0, -1.0, 0.0, 1.0, 2.0)]
    assert shown == sorted(shown)
    assert shown[0] < 30 < shown[-1]


@pytest.mark.parametrize("below_best", [np.zeros(1), np.array([0.0, 9.0]), np.array([0.0] + [9.0] * 59)])
def test_a_few_lines_are_shown_however_far_they_are_below_the_best(below_best: np.ndarray) -> None:
    assert lines_worth_showing(below_best, -3.0) == min(FEWEST, len(below_best))


def test_signs_of_strange_logs_are_finite() -> None:
    for lines in (["x"], ["error"] * 3, ["", "x", ""], ["$ make"] * 500 + ["x"]):
        found = signs(lines)
        assert all(np.isfinite(value) for value in found.values())
        assert np.isfinite(length_weights().longer(found))


def test_every_weight_belongs_to_a_sign() -> None:
    assert set(length_weights().signs) == set(signs(COMPILING))


def test_a_sign_without_a_weight_counts_nothing() -> None:
    assert LengthWeights(constant=0.5, signs={"lines_in_a_row": 2.0}).longer({"lines_in_a_row": 1.0, "new": 9.0}) == 2.5


def test_a_log_of_nothing_but_empty_lines_has_no_explanation() -> None:
    assert explain(io.BytesIO(b"\n\n \n")).lines == ()


def test_what_was_nearly_shown_is_handed_to_whoever_judges() -> None:
    """A short explanation must not hide a denial that stands far from the best line."""
    log = [*COMPLAINT, *COMPILING, "curl: (56) Recv failure: Connection reset by peer"]
    explanation = explain(io.BytesIO("\n".join(log).encode()))
    seen = {line.number for line in (*explanation.lines, *explanation.nearly)}
    assert {1, len(log)} <= seen
    assert not {line.number for line in explanation.lines} & {line.number for line in explanation.nearly}
