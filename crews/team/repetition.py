"""Notices a model that writes the same thing over and over, which small models do until their limit."""

from __future__ import annotations

SHORTEST_UNIT = 2
LONGEST_UNIT = 400
REPEATS = 4
LEAST_CHARACTERS = 120
"""Four equal pieces of at least 120 characters in all: a table rule or a row of dashes is shorter than that."""


def repeated_tail(text: str) -> str:
    """The piece that ``text`` ends in at least four times in a row, or ``""``."""
    for size in range(SHORTEST_UNIT, min(LONGEST_UNIT, len(text) // REPEATS) + 1):
        repeats = max(REPEATS, -(-LEAST_CHARACTERS // size))
        if size * repeats > len(text):
            continue
        unit = text[-size:]
        if unit.strip() and text.endswith(unit * repeats):
            return unit
    return ""


def without_repetition(text: str) -> str:
    """``text`` with a repeated tail kept once."""
    unit = repeated_tail(text)
    if not unit:
        return text
    while text.endswith(unit * 2):
        text = text[: -len(unit)]
    return text
