"""Tells whether a wish is understood to its last word, and which names it holds.

To read by a guess is useful; to act by one is not. A word that nobody understands may be a condition, a time, a "not",
or the name of another thing. So no list says what makes a wish doubtful: a list says what does not.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, field_validator

from opscrew.answer.understand.name_places import is_ordinary
from opscrew.answer.understand.subjects import spoken_names
from opscrew.strict_yaml import load_strictly

WISH_WORDS_FILE = Path(__file__).with_name("wish_words.yaml")

Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]

QUOTES = "\"'`‘’“”"
BETWEEN = re.compile(r"[\s,;/&()\[\]]+")
AROUND = f".:!?{QUOTES}"
"""Marks that stand at a word and change nothing. Others, such as the signs of numbers, belong to it."""
NUMBER = re.compile(r"\d+[a-z]{0,3}")


class WishWords(BaseModel):
    """See the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verbs: Words
    others: Words
    doubting: Words
    phrases: re.Pattern[str]
    choices: re.Pattern[str]
    joined: re.Pattern[str]
    reason: re.Pattern[str]
    lead: re.Pattern[str]
    request: re.Pattern[str]
    kinds: tuple[str, ...]
    places: tuple[str, ...]

    @field_validator("choices", "joined", "reason", "lead", "request", mode="before")
    @classmethod
    def _in_any_case(cls, pattern: str) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE)

    @field_validator("phrases", mode="before")
    @classmethod
    def _any_of_them(cls, phrases: list[str]) -> re.Pattern[str]:
        return re.compile(rf"(?<![\w-])(?:{'|'.join(phrases)})(?![\w-])", re.IGNORECASE)


@cache
def wish_words() -> WishWords:
    """``CrewError`` for a file that was edited wrongly."""
    return load_strictly(WISH_WORDS_FILE, WishWords)


def doubt(text: str, names: Collection[str], amount: re.Pattern[str] | None = None) -> str:
    """Why it is not clear what ``text`` wishes, in words; "" where it is. ``names`` are those of the one thing that was
    found for it, of what it is called and where it lies; ``amount`` is how the number is said that the wish needs."""
    if "?" in text and not wish_words().request.match(text):
        return "that reads as a question; a wish has no question mark"
    left = _words_left(text, names, amount)
    known = wish_words().verbs | wish_words().others
    if unknown := [word for word in left if word not in known]:
        return f"I do not understand {_quoted(unknown)} in it, and act only on what I understand to the last word"
    named = any(_stands(_loose(name), text) for name in names)
    if named and (joined := wish_words().joined.search(_without_reason(text))):
        return f"one thing at a time, please: {_quoted([joined[0]])} means another one too"
    verbs = [word for word in left if word in wish_words().verbs]
    return f"one wish at a time, please: {_quoted(verbs)}" if len(verbs) > 1 else ""


def doubt_of_earlier(text: str, known_names: Iterable[str], amount: re.Pattern[str] | None = None) -> str:
    """The same of a wish that was corrected since: what it named, known or not, no longer counts."""
    words, names = wish_words(), {name.lower() for name in known_names}
    left = [word for word in _words_left(text, (), amount) if word not in words.verbs | words.others]
    unclear = [word for word in left if word in words.doubting or (is_ordinary(word) and word not in names)]
    return f"I do not understand {_quoted(unclear)} in what you said before; say it anew" if unclear else ""


def without(text: str, amount: re.Pattern[str] | None) -> str:
    """The text without its first amount, of which a part may look like a name: "cart 3 replicas" and cart-3."""
    return amount.sub(" ", text, count=1) if amount else text


def names_said(text: str, names: Iterable[str], places: Collection[str] = ()) -> set[str]:
    """Those of ``names`` that a wish holds. A name that is a word of wishes itself ("scale", "app", "5") counts only
    with its kind or in quotes; a spelling that fits several names stands for all of them, unless it is one exactly.
    Where a thing is called as one of ``places`` is, "in prod" means the place."""
    all_of_them = {one for one in names if not _said_as_place(one, text, one in places)}
    meant: set[str] = set()
    for one in spoken_names(text, all_of_them):
        alike = {other for other in all_of_them if _squashed(other) == _squashed(one)}
        meant |= {other for other in alike if _stands(re.escape(other), text)} or alike
    return {one for one in meant if not _is_word_of_wishes(one) or _is_marked(one, text)}


def places_said(text: str, places: Iterable[str]) -> set[str]:
    """Those of the namespaces and clusters that a wish holds; one called as a word of wishes only as a place."""
    found = spoken_names(text, places)
    return {one for one in found if not _is_word_of_wishes(one) or _said_as_place(one, text, behind_in=True)}


def _words_left(text: str, names: Collection[str], amount: re.Pattern[str] | None) -> list[str]:
    words = wish_words()
    left = text.replace("’", "'")
    left = words.lead.sub(" ", without(left, amount))
    left = _without_reason(left)
    is_named = False
    for name in sorted(names, key=len, reverse=True):
        if _is_word_of_wishes(name) and not _is_marked(name, left) and not _said_as_place(name, left, behind_in=True):
            continue
        pattern = re.compile(_bounded(_loose(name)) + r"(?:'s)?", re.IGNORECASE)
        is_named = is_named or bool(pattern.search(left))
        left = pattern.sub(" , ", left)
    left = words.phrases.sub(" ", left)
    if not is_named:
        left = words.choices.sub(" ", left)
    bare = (word.strip(AROUND).lower() for word in BETWEEN.split(left))
    return [word for word in bare if word and word not in ("-", "–", "—")]


def _without_reason(text: str) -> str:
    reason = wish_words().reason.search(text)
    return text[: reason.start()] if reason else text


def _bounded(pattern: str) -> str:
    return rf"(?<![\w.-]){pattern}(?![\w-]|\.\w)"


def _loose(name: str) -> str:
    return r"[\s_-]?".join(re.escape(part) for part in re.split(r"[-_]", name))


def _stands(pattern: str, text: str) -> bool:
    return re.search(_bounded(pattern), text, re.IGNORECASE) is not None


def _squashed(name: str) -> str:
    return re.sub(r"[-_]", "", name.lower())


def _is_word_of_wishes(name: str) -> bool:
    low = name.lower()
    words = wish_words()
    return low in words.verbs | words.others | words.doubting or NUMBER.fullmatch(low) is not None


def _is_marked(name: str, text: str) -> bool:
    kinds, said = "|".join(wish_words().kinds), _loose(name)
    patterns = [rf"(?:{kinds}) (?:called |named )?{said}", rf"[{QUOTES}]{said}[{QUOTES}]"]
    if name.lower() not in wish_words().doubting:  # "all pods" is no pod called all
        patterns.append(rf"{said} (?:{kinds})")
    return any(re.search(rf"(?<![\w-]){one}(?![\w-])", text, re.IGNORECASE) for one in patterns)


def _said_as_place(name: str, text: str, behind_in: bool) -> bool:
    """ "The cluster prod" is no workload called prod; ``behind_in`` where "in prod" says the same."""
    places, said = "|".join(wish_words().places), _loose(name)
    if _stands(rf"(?:{places}) {said}", text) or _stands(rf"{said} (?:{places})", text):
        return True
    return behind_in and _stands(rf"(?:in|on|at) (?:the )?{said}", text)


def _quoted(words: Iterable[str]) -> str:
    return ", ".join(f'"{word}"' for word in dict.fromkeys(words))
