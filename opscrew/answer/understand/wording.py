"""Turns what people write in a hurry into plain words: shorthand, slang, misspelt words, greetings before a question.

Data in ``wording.yaml``. The rules that read intents and times then need to know one way to say a thing, not ten.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from opscrew.answer.times.words import any_of, time_words
from opscrew.strict_yaml import load_strictly

WORDING_FILE = Path(__file__).with_name("wording.yaml")

LIKE = 0.84
"""Likeness (difflib's ratio) from which a word is taken for a known one: one letter wrong in six."""

SHORTEST_REPAIRED = 5
"""Letters below which many words differ from others by one."""

LEAST_LEFT = 2
"""Words that must follow a greeting; less is a greeting and nothing else."""

WORD = re.compile(r"(?<![\w./#-])[A-Za-z][a-z']+(?![\w/-]|\.\w)")

Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]


class Wording(BaseModel):
    """See the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fillers: tuple[str, ...]
    tails: tuple[str, ...]
    means: Mapping[str, tuple[str, ...]]
    vocabulary: Words
    field: Words


@cache
def wording() -> Wording:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(WORDING_FILE, Wording)


def plain(question: str, ordinary: Collection[str] = ()) -> str:
    """The same question in plain words. ``ordinary`` words are known and never taken for misspelt ones."""
    text = " ".join(question.replace("’", "'").split())
    text = WORD.sub(lambda match: _repaired(match[0], ordinary), text)
    spoken, pattern = _shorthand()
    text = pattern.sub(lambda match: spoken[match[0].lower()], text)
    return _without_fillers(text)


def is_plain_word(word: str) -> bool:
    """Whether a word in lower case is one that questions are made of, and so no misspelt name."""
    return word in _known() or word in wording().field


def is_of_our_field(text: str) -> bool:
    """Whether any word of it is one of our field's."""
    words = set(re.findall(r"[a-z][a-z-]+", text.lower()))
    return bool(words & (wording().field | wording().vocabulary))


def _without_fillers(text: str) -> str:
    begins, ends = _edges()
    while match := begins.match(text):
        rest = text[match.end() :]
        if len(rest.split()) < LEAST_LEFT:
            break
        text = rest
    while match := ends.search(text):
        if not text[: match.start()].strip():
            break
        text = text[: match.start()] + match["mark"]
    return text


def _repaired(word: str, ordinary: Collection[str]) -> str:
    low = word.lower()
    known = _known()
    if len(low) < SHORTEST_REPAIRED or low in known or low in ordinary or low.removesuffix("s") in known:
        return word
    alike = difflib.get_close_matches(low, known, n=1, cutoff=LIKE)
    return alike[0] if alike and alike[0][0] == low[0] else word


@cache
def _known() -> frozenset[str]:
    shorthand = {word for spellings in wording().means.values() for phrase in spellings for word in phrase.split()}
    return wording().vocabulary | time_words().every_word() | shorthand


@cache
def _shorthand() -> tuple[Mapping[str, str], re.Pattern[str]]:
    spoken = {spelling: meant for meant, spellings in wording().means.items() for spelling in spellings}
    return spoken, re.compile(rf"(?<![\w./#'-]){any_of(spoken)}(?![\w'/-])", re.IGNORECASE)


@cache
def _edges() -> tuple[re.Pattern[str], re.Pattern[str]]:
    begins = re.compile(rf"(?:{any_of(wording().fillers)})\b[\s,.!:;-]*", re.IGNORECASE)
    ends = re.compile(rf"[\s,]+{any_of(wording().tails)}(?P<mark>[?.! ]*)$", re.IGNORECASE)
    return begins, ends
