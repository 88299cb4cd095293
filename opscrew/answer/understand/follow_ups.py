"""Reads a short question in the light of the one before: "and the day before?", "why?", "no, the other one".

The wording is data in ``follow_ups.yaml``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

from opscrew.model.subject import Subject
from opscrew.strict_yaml import load_strictly

FOLLOW_UPS_FILE = Path(__file__).with_name("follow_ups.yaml")

LONGEST_LEANING = 8
"""Words. A longer question says what it means."""

WISH_WORD = re.compile(r"[A-Za-z][\w./'-]*")

CAUSE_IN = {
    "ci": "failure_cause",
    "cluster": "cluster_health",
    "storage": "storage",
    "costs": "costs",
    "alerts": "alerts",
}
"""What a bare "why?" asks for, by the domain of the question before."""


class FollowUps(BaseModel):
    """See the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leads: re.Pattern[str]
    leaning: tuple[str, ...]
    adding: str
    pointing: re.Pattern[str]
    bare_why: str
    step_back: re.Pattern[str]
    build_before: re.Pattern[str]
    build_after: re.Pattern[str]
    build_number: str
    choices: Mapping[Literal["other"] | int, re.Pattern[str]]
    everywhere: re.Pattern[str]
    wish_reason: re.Pattern[str]
    wish_words: Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]

    @field_validator(
        "leads", "pointing", "step_back", "build_before", "build_after", "everywhere", "wish_reason", mode="before"
    )
    @classmethod
    def _in_any_case(cls, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)

    @field_validator("choices", mode="before")
    @classmethod
    def _each_in_any_case(cls, choices: Mapping[Any, str]) -> Mapping[Any, re.Pattern[str]]:
        return {which: re.compile(pattern, re.IGNORECASE) for which, pattern in choices.items()}

    def begins(self, question: str, *patterns: str) -> re.Match[str] | None:
        """Whether one of ``patterns`` stands at the beginning, behind words such as "and" or not."""
        text = question.strip()
        either = "|".join(f"(?:{pattern})" for pattern in patterns)
        return re.match(rf"(?:{self.leads.pattern})?(?:{either})", text, re.IGNORECASE)


@cache
def follow_ups() -> FollowUps:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(FOLLOW_UPS_FILE, FollowUps)


def leans(question: str) -> bool:
    """Whether it asks on: its intent is then the one before, unless its own wording is clear."""
    short = len(question.split()) <= LONGEST_LEANING
    return short and follow_ups().begins(question, *follow_ups().leaning) is not None


def asks_why(question: str) -> bool:
    """ "why?" and its like, with nothing else in it."""
    return follow_ups().begins(question, follow_ups().bare_why) is not None


def adds_on(question: str) -> bool:
    """ "and …", "what about …": keeps what is asked, and changes about what or when."""
    return re.match(follow_ups().adding, question.strip(), re.IGNORECASE) is not None


def points_back(question: str) -> bool:
    """ "it", "that build": the subject is the one before."""
    return follow_ups().pointing.search(question) is not None


def lets_go(question: str) -> bool:
    """ "in all repositories": no subject any more."""
    return follow_ups().everywhere.search(question) is not None


def names_nothing(wish: str) -> bool:
    """Whether a wish, with "thatone" for each known name, holds no word that may be an unknown one."""
    before_reason = follow_ups().wish_reason.split(wish, maxsplit=1)[0]
    words = WISH_WORD.findall((before_reason if WISH_WORD.search(before_reason) else wish).lower())
    return all(word.removesuffix("'s") in follow_ups().wish_words for word in words)


def step_back(question: str) -> str:
    """The unit of "the day before", else ""."""
    match = follow_ups().step_back.search(question)
    return match["unit"].lower() if match else ""


def other_build(question: str, number: int) -> int:
    """The number of the build that "the one before" or "and 41?" means where ``number`` was spoken of, else 0."""
    named = follow_ups().begins(question, follow_ups().build_number)
    if named:
        return int(named["number"])
    if follow_ups().build_before.search(question):
        return max(number - 1, 0)
    return number + 1 if follow_ups().build_after.search(question) else 0


def chosen(question: str, meant: Sequence[Subject], named: Sequence[Subject]) -> tuple[Subject, ...] | None:
    """The one that "the second one" or "the other one" picks of what was ``named``, where ``meant`` was spoken of
    last. None where nothing is picked, () where it cannot be told which one."""
    for which, pattern in follow_ups().choices.items():
        if not pattern.search(question):
            continue
        if which == "other":
            left = [one for one in named if one not in meant]
            return tuple(left) if len(left) == 1 else ()
        place = int(which) - 1 if int(which) > 0 else int(which)
        return (named[place],) if -len(named) <= place < len(named) and len(named) > 1 else ()
    return None
