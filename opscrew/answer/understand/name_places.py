"""Where in a question a name stands, told by the words around it: "the ledgre repository", "is cart ok?"."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from opscrew.answer.understand.wording import is_plain_word
from opscrew.strict_yaml import load_strictly

SUBJECTS_FILE = Path(__file__).with_name("subjects.yaml")

NO_NAME = re.compile(r"[a-z]{1,3}|[a-z]+(?:ly|ing|ed|s)")
"""Short words, and words that bend as verbs do: "the pod keeps dying"."""

PLACED = re.compile(r"\b(?:in|within|inside|across|throughout) (?:the |our )?([a-z][\w-]*)\b(?! (?:of|for|from)\b)")


Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]


def words_that_name(question: str) -> list[str]:
    """Words that stand where a name stands, in lower case."""
    text = question.lower()
    before, after = "|".join(name_words().before), "|".join(name_words().after)
    found = re.findall(rf"\b(?:{before}) (?:the )?([a-z][\w./-]*\w)", text)
    found += re.findall(rf"([a-z][\w./-]*\w)(?:'s)? (?:{after})\b", text)
    asked = rf"\b(?:is|are|was|were|did|does|has) (?:the |our )?([a-z][\w./-]*\w) (?:{'|'.join(name_words().states)})\b"
    found += re.findall(asked, text)
    return [word.rpartition("/")[2] for word in found]


def is_of_kind(question: str, name: str) -> bool:
    """Whether the kind of thing stands right beside the name: "the test deployment", "namespace alerts"."""
    kinds, said = "|".join(name_words().kinds), re.escape(name)
    return (
        re.search(rf"(?<![\w-])(?:(?:{kinds}) {said}|{said} (?:{kinds}))(?![\w-])", question, re.IGNORECASE) is not None
    )


def words_that_place(question: str) -> list[str]:
    """Words that say where: "in stage", "across production"."""
    return PLACED.findall(question.lower())


def cued_words(question: str) -> list[str]:
    """Those that name something and are no ordinary words."""
    return [word for word in words_that_name(question) if not is_ordinary(word) and not NO_NAME.fullmatch(word)]


def is_ordinary(word: str) -> bool:
    """Whether questions use a word in lower case for itself."""
    return word in ordinary_words() or is_plain_word(word)


def ordinary_words() -> frozenset[str]:
    """That are never taken for a misspelt name, nor for any other misspelt word."""
    return name_words().ordinary


class NameWords(BaseModel):
    """See ``subjects.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: tuple[str, ...]
    after: tuple[str, ...]
    states: tuple[str, ...]
    kinds: tuple[str, ...]
    topics: Words
    never: Words
    beside_logs: Words
    ordinary: Words


@cache
def name_words() -> NameWords:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(SUBJECTS_FILE, NameWords)
