"""Understands the words operators use in states, reasons and messages. The words are in ``vocabulary.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import yaml

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.yaml")

_LISTS = frozenset({
    "absence", "activity_types", "aside_fields", "empty_reasons", "failure", "failure_states", "good_ends",
    "hold_types", "ignored_fields", "negations", "negative_types", "phrases", "plain_failures", "progress",
    "promising_exceptions", "promising_types", "state_fields",
})  # fmt: skip
"""What the file must hold, and nothing else."""

# "HTTPRouteNotReady" -> HTTP Route Not Ready; also splits at everything that is no letter.
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


class Tone(StrEnum):
    """What a piece of text says about its object, strongest first."""

    FAILURE = "failure"
    ABSENCE = "absence"
    PROGRESS = "progress"
    SILENT = "silent"


@dataclass(frozen=True)
class WordList:
    """Words and beginnings of words."""

    words: frozenset[str]
    beginnings: tuple[str, ...]

    def holds(self, word: str) -> bool:
        return word in self.words or (bool(self.beginnings) and word.startswith(self.beginnings))

    def any_of(self, words: Iterable[str]) -> bool:
        return any(self.holds(word) for word in words)


def words_of(text: str) -> list[str]:
    """Lower-case words of a text, CamelCase split."""
    return [word.lower() for word in _WORDS.findall(text)]


@lru_cache(maxsize=4096)
def tone_of(text: str) -> Tone:
    """Whether a state word, a reason or a sentence speaks of failure, absence, progress, or none of them."""
    lists = _lists()
    joined, harmless = _phrases()["harmless"].subn(" ", f" {' '.join(words_of(text))} ")
    words = _without_negated(joined.split())
    if lists["failure"].any_of(words) or _phrases()["failure"].search(joined):
        return Tone.FAILURE
    if lists["absence"].any_of(words) or _phrases()["absence"].search(joined):
        return Tone.ABSENCE
    return Tone.PROGRESS if harmless or lists["progress"].any_of(words) else Tone.SILENT


def _without_negated(words: list[str]) -> list[str]:
    """ "no conflicts" is good news: a word of failure behind a negation does not count."""
    lists = _lists()
    return [
        word
        for before, word in zip(["", *words], words, strict=False)
        if not (lists["negations"].holds(before) and lists["failure"].holds(word))
    ]


@lru_cache(maxsize=1024)
def tone_of_state(text: str) -> Tone:
    """The same for a text that is a state word as a whole ("NotFound", "red")."""
    words = words_of(text)
    if len(words) <= 2 and "".join(words) in _lists()["failure_states"].words:
        return Tone.FAILURE
    return tone_of(text)


@lru_cache(maxsize=1024)
def tone_of_reason(text: str) -> Tone:
    """The same for a condition's reason, where words that only repeat the condition say nothing."""
    return Tone.SILENT if " ".join(words_of(text)) in _lists()["empty_reasons"].words else tone_of(text)


@lru_cache(maxsize=1024)
def is_negative_type(condition_type: str) -> bool:
    """Whether True is the bad news for a condition of this type ("Degraded", "NotReady", "DiskPressure")."""
    words = words_of(condition_type)
    if is_negated(condition_type):
        rest = words[1:]
        promises = rest[:1] in (["matching"], ["found"]) or is_promising_type("".join(rest))
        return promises and not _speaks_of_trouble(rest)  # "NoWarnings" is good news
    if words and words[-1] == "free":  # "ErrorFree"
        return False
    joined = "".join(words)
    return _lists()["negative_types"].any_of(words) or "notready" in joined or "notfound" in joined


@lru_cache(maxsize=1024)
def is_negated(text: str) -> bool:
    """Whether a type or a state begins with a negation ("NotReady", "NoMatchingInstances")."""
    words = words_of(text)
    return bool(words) and _lists()["negations"].holds(words[0])


@lru_cache(maxsize=1024)
def is_capability_type(condition_type: str) -> bool:
    """Whether the type tells what may be done with the object ("Upgradeable"), so that False is no fault."""
    words = words_of(condition_type)
    return bool(words) and words[-1].endswith("able") and not _lists()["promising_types"].holds(words[-1])


def _speaks_of_trouble(words: list[str]) -> bool:
    return _lists()["negative_types"].any_of(words) or _lists()["failure"].any_of(words)


@lru_cache(maxsize=1024)
def is_error_type(condition_type: str) -> bool:
    """Whether the type names an error outright ("SyncError"), so that its mere presence is bad news."""
    words = words_of(condition_type)
    return bool(words) and words[-1] in ("error", "failed", "failure")


@lru_cache(maxsize=1024)
def is_promising_type(condition_type: str) -> bool:
    """Whether False needs an excuse ("Ready", "Synced", "ResolvedRefs"), other than for "Active" or "Fallback"."""
    words = words_of(condition_type)
    lists = _lists()
    participle = any(word.endswith("ed") and not lists["promising_exceptions"].holds(word) for word in words)
    return participle or lists["promising_types"].any_of(words)


@lru_cache(maxsize=1024)
def is_activity_type(condition_type: str) -> bool:
    """Whether the type tells what is going on ("Reconciling") rather than how the object is."""
    return _lists()["activity_types"].any_of(words_of(condition_type))


@lru_cache(maxsize=1024)
def is_hold_type(condition_type: str) -> bool:
    """Whether True means that a person put the object on hold ("Paused")."""
    words = words_of(condition_type)
    return len(words) == 1 and _lists()["hold_types"].any_of(words)


@lru_cache(maxsize=4096)
def is_state_field(name: str) -> bool:
    """Whether the text under this field is a state word ("phase", "healthStatus")."""
    words = words_of(name)
    return bool(words) and _lists()["state_fields"].holds(words[-1]) and not is_ignored_field(name)


@lru_cache(maxsize=1024)
def is_good_end(text: str) -> bool:
    """Whether a state word says that the work is done and went well ("Succeeded")."""
    words = words_of(text)
    return len(words) == 1 and _lists()["good_ends"].any_of(words)


@lru_cache(maxsize=1024)
def is_plain_failure(name: str, text: str) -> bool:
    """Whether the whole text of a field is bad news whatever the field is called ("robustness: faulted")."""
    words = words_of(text)
    plain = len(words) == 1 and _lists()["plain_failures"].any_of(words)
    return plain and not is_ignored_field(name) and not is_aside_field(name)


@lru_cache(maxsize=4096)
def is_aside_field(name: str) -> bool:
    """Whether the field tells of the past or of what should be done ("lastRun", "failurePolicy")."""
    return _lists()["aside_fields"].any_of(words_of(name))


@lru_cache(maxsize=4096)
def is_ignored_field(name: str) -> bool:
    """Whether states below this field say nothing about now."""
    return _lists()["ignored_fields"].any_of(words_of(name))


def read_vocabulary() -> None:
    """Reads the file if nobody has yet. Raises ``ValueError`` for a list that is missing, unknown or holds no words."""
    found = {name for name, entries in _file().items() if isinstance(entries, list)} | {"phrases"}
    if odd := found.symmetric_difference(_LISTS):
        raise ValueError(f"{' and '.join(sorted(odd))}: a list that is missing or that nobody knows")
    words = [word for name in _LISTS - {"phrases"} for word in _file()[name]]
    if odd_words := [word for word in words if not isinstance(word, str)]:
        raise ValueError(f"{odd_words[0]!r} is no word; YAML wants it in quotes")
    _lists(), _phrases()


@cache
def _lists() -> dict[str, WordList]:
    return {name: _word_list(entries) for name, entries in _file().items() if isinstance(entries, list)}


@cache
def _phrases() -> dict[str, re.Pattern[str]]:
    """One pattern per tone, for texts of single-spaced lower-case words."""
    return {
        tone: re.compile("|".join(f" {phrase.replace('*', '[a-z]+')} " for phrase in phrases))
        for tone, phrases in _file()["phrases"].items()
    }


@cache
def _file() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    loaded: dict[str, Any] = yaml.load(VOCABULARY_FILE.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506
    return loaded


def _word_list(entries: list[str]) -> WordList:
    return WordList(
        words=frozenset(entry for entry in entries if not entry.endswith("*")),
        beginnings=tuple(entry.removesuffix("*") for entry in entries if entry.endswith("*")),
    )
