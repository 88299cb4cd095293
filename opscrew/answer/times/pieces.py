"""Finds the pieces of which people make up a time, by a small grammar of rules over tokens.

``ranges`` puts the pieces together and reads the words between them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from opscrew.answer.times import clocks, days, lengths, weeks
from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.piece import Piece

RULES: tuple[Callable[[Cursor, int], Piece | None], ...] = (
    lengths.coming,
    weeks.nth,
    weeks.portion,
    days.days_of_month,
    days.month_day,
    days.written_date,
    days.day_of_month,
    lengths.ago,
    clocks.last_night,
    lengths.length,
    days.relative_day,
    weeks.calendar,
    weeks.weekend,
    days.weekday,
    clocks.hours,
    clocks.part_of_day,
    clocks.time_of_day,
)
"""The most particular wording first: "last week of march" is no "last week"."""


def pieces_in(cursor: Cursor) -> list[Piece]:
    """In order, none over another."""
    found: list[Piece] = []
    at = 0
    while at < cursor.length:
        piece = next((one for rule in RULES if (one := rule(cursor, at)) is not None), None)
        if piece is not None:
            found.append(replace(piece, start=at))
        at = piece.end if piece is not None else at + 1
    return found
