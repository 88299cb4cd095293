"""Loads the words operators use in states, reasons, messages, condition types and field names (``vocabulary.yaml``).

What the lists mean is decided beside this file: ``tones.py``, ``condition_types.py`` and ``field_names.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opscrew.strict_yaml import read_strictly

VOCABULARY_FILE = Path(__file__).with_name("vocabulary.yaml")

_LISTS = frozenset({
    "absence", "acted_on_references", "activity_types", "aside_fields", "asking_references", "choice_types",
    "empty_reasons", "end_times", "failure", "failure_states", "good_ends", "harmless_states", "hold_requests",
    "hold_types", "ignored_fields", "mending_types", "negations", "negative_types", "nothing", "phrases",
    "one_run_labels", "plain_failures", "progress", "promising_exceptions", "promising_types", "ready_fields", "rest",
    "series_labels", "state_fields", "summary_types", "verdict_types",
})  # fmt: skip
"""What the file must hold, and nothing else."""

# "HTTPRouteNotReady" -> HTTP Route Not Ready; also splits at everything that is no letter.
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")


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


def read_vocabulary() -> None:
    """Reads the file if nobody has yet. Raises ``ValueError`` for a list that is missing, unknown or holds no words."""
    found = {name for name, entries in _file().items() if isinstance(entries, list)} | {"phrases"}
    if odd := found.symmetric_difference(_LISTS):
        raise ValueError(f"{' and '.join(sorted(odd))}: a list that is missing or that nobody knows")
    words = [word for name in _LISTS - {"phrases"} for word in _file()[name]]
    if odd_words := [word for word in words if not isinstance(word, str)]:
        raise ValueError(f"{odd_words[0]!r} is no word; YAML wants it in quotes")
    word_lists(), phrases()


@cache
def word_lists() -> dict[str, WordList]:
    """Every list of single words, by its name."""
    return {name: _word_list(entries) for name, entries in _file().items() if isinstance(entries, list)}


@cache
def phrases() -> dict[str, re.Pattern[str]]:
    """One pattern per tone, for texts of single-spaced lower-case words."""
    return {
        tone: re.compile("|".join(f" {phrase.replace('*', '[a-z]+')} " for phrase in entries))
        for tone, entries in _file()["phrases"].items()
    }


@cache
def _file() -> dict[str, Any]:
    loaded: dict[str, Any] = read_strictly(VOCABULARY_FILE)[0]
    return loaded


def _word_list(entries: list[str]) -> WordList:
    return WordList(
        words=frozenset(entry for entry in entries if not entry.endswith("*")),
        beginnings=tuple(entry.removesuffix("*") for entry in entries if entry.endswith("*")),
    )
