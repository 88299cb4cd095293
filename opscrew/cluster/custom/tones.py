"""What a piece of text that an operator wrote says about its object: a state word, a reason or a sentence."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from opscrew.cluster.custom.vocabulary import phrases, word_lists, words_of

# "0 errors", "failed: 0": a count of none is no news.
_NONE_OF_THEM = re.compile(r"(?<![\w./:-])0 [A-Za-z]+")
_NONE_BEHIND = re.compile(r"[A-Za-z]+(?: ?[:=])? ?0(?![\w./])")
_SHORTEST_ACTIVITY = 6  # letters; shorter words in "-ing" are things ("ring", "king")


class Tone(StrEnum):
    """Strongest first."""

    FAILURE = "failure"
    ABSENCE = "absence"
    REST = "rest"
    PROGRESS = "progress"
    SILENT = "silent"


@lru_cache(maxsize=4096)
def tone_of(text: str) -> Tone:
    """Whether the text speaks of failure, absence, chosen rest, progress, or none of them."""
    lists = word_lists()
    counted = _NONE_BEHIND.sub(" ", _NONE_OF_THEM.sub(" ", text))
    joined, harmless = phrases()["harmless"].subn(" ", f" {' '.join(words_of(counted))} ")
    words = _without_negated(joined.split())
    for tone in (Tone.FAILURE, Tone.ABSENCE, Tone.REST):
        if lists[tone].any_of(words) or phrases()[tone].search(joined):
            return tone
    return Tone.PROGRESS if harmless or lists["progress"].any_of(words) else Tone.SILENT


def _without_negated(words: list[str]) -> list[str]:
    """ "no conflicts" is good news: a word of failure behind a negation does not count."""
    lists = word_lists()
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not (lists["negations"].holds(before) and lists["failure"].holds(word))
    ]


@lru_cache(maxsize=1024)
def tone_of_state(text: str) -> Tone:
    """The same for a text that is a state word as a whole ("NotFound", "red")."""
    words = words_of(text)
    if len(words) <= 2 and "".join(words) in word_lists()["failure_states"].words:
        return Tone.FAILURE
    return Tone.SILENT if " ".join(words) in word_lists()["harmless_states"].words else _tone_of_words(text)


@lru_cache(maxsize=1024)
def tone_of_reason(text: str) -> Tone:
    """The same for a condition's reason, where words that only repeat the condition say nothing."""
    return Tone.SILENT if " ".join(words_of(text)) in word_lists()["empty_reasons"].words else _tone_of_words(text)


def _tone_of_words(text: str) -> Tone:
    """Of a state or a reason, where a word in "-ing" that no list has tells what goes on if it is the last."""
    tone, last = tone_of(text), "".join(words_of(text)[-1:])
    going_on = len(last) >= _SHORTEST_ACTIVITY and last.endswith("ing")
    return Tone.PROGRESS if tone is Tone.SILENT and going_on else tone


@lru_cache(maxsize=1024)
def is_telling(reason: str) -> bool:
    """Whether a reason says more than that a promise is not kept yet ("NotReady"), or a step done ("PodScheduled")."""
    words, lists = words_of(reason), word_lists()
    plain = " ".join(words) in lists["empty_reasons"].words or "".join(words[-1:]).endswith("ed")
    return bool(words) and not plain and not lists["negations"].any_of(words) and not lists["good_ends"].any_of(words)


@lru_cache(maxsize=1024)
def is_good_end(text: str) -> bool:
    """Whether a state word says that the work is done and went well ("Succeeded")."""
    words = words_of(text)
    return len(words) == 1 and word_lists()["good_ends"].any_of(words)


@lru_cache(maxsize=1024)
def is_negated(text: str) -> bool:
    """Whether a type or a state begins with a negation ("NotReady", "NoMatchingInstances")."""
    words = words_of(text)
    return bool(words) and word_lists()["negations"].holds(words[0])


def is_nothing(text: str) -> bool:
    """Whether the whole text says that there is nothing to say ("None", "n/a")."""
    return " ".join(words_of(text)) in word_lists()["nothing"].words
