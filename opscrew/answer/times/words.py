"""The words in which people speak of time, from ``words.yaml``, and the patterns made of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opscrew.strict_yaml import load_strictly

WORDS_FILE = Path(__file__).with_name("words.yaml")

Unit = Literal["second", "minute", "hour", "day", "night", "week", "fortnight", "month", "quarter", "year"]
Hour = Annotated[int, Field(ge=0, le=24)]
Share = Annotated[float, Field(ge=0, le=1)]


class TimeWords(BaseModel):
    """See the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weekdays: Annotated[list[list[str]], Field(min_length=7, max_length=7)]
    months: Annotated[list[list[str]], Field(min_length=12, max_length=12)]
    days: dict[str, int]
    feasts: dict[str, tuple[int, int]]
    parts: dict[str, tuple[Hour, Hour]]
    clocks: dict[str, Hour]
    counts: dict[str, float]
    units: dict[Unit, list[str]]
    portions: dict[str, tuple[Share, Share]]
    ordinals: dict[str, int]
    now: list[str]
    lately: list[str]
    zones: dict[str, str]
    day_first: bool

    @model_validator(mode="after")
    def _zones_exist(self) -> Self:
        for name in self.zones.values():
            ZoneInfo(name)
        return self

    def count_of(self, word: str) -> float:
        """ "3", "1.5" and "three" alike."""
        return float(word) if word[0].isdigit() else self.counts[word]

    def unit_of(self, word: str) -> Unit:
        return next(unit for unit, spellings in self.units.items() if word in spellings)

    def every_word(self) -> set[str]:
        """Single words of three letters and more, for mending misspelt ones."""
        spelt: list[Any] = [*self.weekdays, *self.months, *self.units.values()]
        phrases = [word for words in spelt for word in words]
        phrases += [*self.days, *self.parts, *self.clocks, *self.counts, *self.ordinals, *self.lately]
        return {word for phrase in phrases for word in phrase.split() if len(word) > 2}


@cache
def time_words() -> TimeWords:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(WORDS_FILE, TimeWords)


def any_of(words: Iterable[str]) -> str:
    """An alternation, the longest first, so that "half an" is not read as "half"."""
    return "(?:" + "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)) + ")"


def numbered(spellings: list[list[str]], first: int) -> dict[str, int]:
    """Each spelling with its place in the calendar."""
    return {word: number for number, words in enumerate(spellings, first) for word in words}


WEEKDAYS = numbered(time_words().weekdays, 0)
MONTHS = numbered(time_words().months, 1)
