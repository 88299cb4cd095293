"""Circles are noticed, tables and lists are not."""

from __future__ import annotations

import pytest

from crews.team.repetition import repeated_tail, without_repetition


@pytest.mark.parametrize(
    "text",
    ["I think " * 30, "Start. " + "The pod is down. " * 10, "ab" * 100, "word\n" * 40],
)
def test_a_circle_is_noticed_and_kept_once(text: str) -> None:
    assert repeated_tail(text)
    assert len(without_repetition(text)) < 60


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The pod web-1 is down. The pod web-2 is down. The pod web-3 is down. The pod web-4 is down.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "yes yes yes yes",
        " " * 500,
    ],
)
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert repeated_tail(text) == ""
    assert without_repetition(text) == text
