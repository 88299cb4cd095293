"""Reads the tokens of one question: words, counted units, days of the month. The grammar's rules stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opscrew.answer.times.tokens import Token
from opscrew.answer.times.wall_clock import Place
from opscrew.answer.times.words import MONTHS, WEEKDAYS, Unit, time_words

ROUGHLY = ("the", "about", "around", "some", "roughly", "almost", "nearly", "approximately", "ca", "circa")
BETWEEN_NUMBER_AND_UNIT = ("of", "more", "full", "whole", "working", "business", "calendar", "or so")


class Cursor:
    """Every reader takes the place of a token and gives what it read together with the place behind it."""

    def __init__(self, tokens: Sequence[Token], place: Place) -> None:
        self.tokens, self.place = tokens, place

    @property
    def length(self) -> int:
        return len(self.tokens)

    def word(self, at: int) -> str:
        """The token's text; "" before the first and behind the last."""
        return self.tokens[at].text if 0 <= at < len(self.tokens) else ""

    def kind(self, at: int) -> str:
        return self.tokens[at].kind if 0 <= at < len(self.tokens) else ""

    def phrase(self, at: int, phrases: Iterable[str]) -> tuple[str, int] | None:
        """The longest of ``phrases`` that stands here."""
        best = ""
        for phrase in phrases:
            words = phrase.split()
            if len(phrase) > len(best) and [self.word(at + place) for place in range(len(words))] == words:
                best = phrase
        return (best, at + len(best.split())) if best else None

    def past(self, at: int, words: Iterable[str]) -> int:
        """Behind one of ``words``, or here where none stands."""
        return at + 1 if self.word(at) in tuple(words) else at

    def count(self, at: int) -> tuple[float, int] | None:
        """ "3", "1.5", "a couple of"."""
        if self.kind(at) == "number":
            return self.tokens[at].number, at + 1
        spoken = self.phrase(at, time_words().counts)
        return (time_words().counts[spoken[0]], spoken[1]) if spoken else None

    def unit(self, at: int) -> Unit | None:
        """Single letters are units only behind a number."""
        has_number = self.kind(at - 1) == "number"
        for unit, spellings in time_words().units.items():
            if self.word(at) in spellings and (has_number or len(self.word(at)) > 1):
                return unit
        return None

    def amount(self, at: int, *, counted: bool = False) -> tuple[float, Unit, int] | None:
        """ "3 hours", "24h", "an hour and a half", and "hour" alone unless a number is demanded."""
        if self.kind(at) == "length":
            return self.tokens[at].number, time_words().unit_of(self.tokens[at].unit), at + 1
        found = self.count(at)
        if found is None and counted:
            return None
        number, behind = found or (1.0, at)
        behind = self.past(behind, BETWEEN_NUMBER_AND_UNIT) if found else behind
        unit = self.unit(behind)
        if unit is None:
            return None
        half = self.phrase(behind + 1, ["and a half"])
        return (number + 0.5, unit, half[1]) if half else (number, unit, behind + 1)

    def year(self, at: int) -> tuple[int | None, int]:
        """ "2025", "of 2025"; None where no year stands here."""
        begin = self.past(at, ("of", "in"))
        if self.kind(begin) == "number" and 1900 <= self.tokens[begin].number < 2100:
            return int(self.tokens[begin].number), begin + 1
        return None, at

    def month(self, at: int) -> tuple[int, int] | None:
        """ "march", "of march"."""
        at = self.past(at, ("of",))
        return (MONTHS[self.word(at)], at + 1) if self.word(at) in MONTHS else None

    def day_number(self, at: int) -> tuple[int, int] | None:
        """Of a month: "3", "3rd", "the 3rd"."""
        at = self.past(at, ("the",))
        is_whole = self.kind(at) in ("number", "ordinal") and self.tokens[at].number.is_integer()
        if is_whole and 1 <= self.tokens[at].number <= 31:
            return int(self.tokens[at].number), at + 1
        return None

    def weekday(self, at: int) -> int | None:
        """Also in the plural: "mondays"."""
        word = self.word(at)
        return WEEKDAYS.get(word, WEEKDAYS.get(word.removesuffix("s")))
