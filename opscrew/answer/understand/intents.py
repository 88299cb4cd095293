"""The kinds of questions: their data from ``intents.yaml``, and which of them a question's wording speaks for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from opscrew.strict_yaml import load_strictly

INTENTS_FILE = Path(__file__).with_name("intents.yaml")

CLEAR_SUM, CLEAR_LEAD = 2, 1
"""A wording below either of them leaves the rules unsure; ``intents.yaml`` explains the weights."""


class Pattern(BaseModel):
    """One way to say it. ``match`` must compile."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weight: int
    match: str

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str) -> str:
        re.compile(match)
        return match

    def found_in(self, text: str) -> bool:
        return re.search(self.match, text, re.IGNORECASE) is not None


class Intent(BaseModel):
    """See ``intents.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    role: str
    domain: str
    collectors: tuple[str, ...]
    codes: tuple[str, ...]
    hours: int
    patterns: tuple[Pattern, ...]

    def score(self, text: str) -> int:
        return sum(pattern.weight for pattern in self.patterns if pattern.found_in(text))


@dataclass(frozen=True)
class Guess:
    """``name`` is "" where no wording spoke for anything."""

    name: str
    sure: bool


@cache
def intents() -> Mapping[str, Intent]:
    """By name, in the order of the file. ``CrewError`` for a file that was edited wrongly."""
    return load_strictly(INTENTS_FILE, dict[str, Intent])


def guess(text: str) -> Guess:
    """The intent that the wording speaks for most; of equals the first in the file."""
    scores = {name: intent.score(text) for name, intent in intents().items()}
    best = max(scores, key=lambda name: scores[name])
    if not scores[best]:
        return Guess("", sure=False)
    second = max(score for name, score in scores.items() if name != best)
    return Guess(best, sure=scores[best] >= CLEAR_SUM and scores[best] - second >= CLEAR_LEAD)
