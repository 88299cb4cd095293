"""Which log entries are failures: the patterns of ``failures.yaml``, as a filter of LogsQL and as a check of one entry.

Levels come before words. Counting is the server's work, so the rule must be a filter; a line that is shown is judged
here by the same patterns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tools.queries import quoted

FAILURES_FILE = Path(__file__).with_name("failures.yaml")
Patterns = tuple[str, ...]


class Level(BaseModel):
    """What the values of one scale mean; a value that fits neither says nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: str
    harmless: str


class Failures(BaseModel):
    """See ``failures.yaml``. Each tuple is one pattern after ``load``, its parts joined by "or"."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    front: str
    key: str
    pieces: Patterns = Field(min_length=1)
    begins: str
    own_failure: Patterns = Field(min_length=1)
    own_harmless: Patterns = Field(min_length=1)
    levels: Mapping[str, Level]
    certain: Patterns = Field(min_length=1)
    likely: Patterns = Field(min_length=1)
    harmless: Patterns = Field(min_length=1)
    trace_begins: str
    shortly: str

    @model_validator(mode="after")
    def _are_patterns(self) -> Self:
        groups = [(level.failure, level.harmless) for level in self.levels.values()]
        for group in (self.own_failure, self.own_harmless, self.certain, self.likely, self.harmless, *groups):
            for pattern in (*group, self.begins, self.trace_begins, self.shortly):
                try:
                    re.compile(self.joined((pattern,)))
                except re.error as problem:
                    raise ValueError(f"{pattern[:60]}: {problem}") from problem
        return self

    def joined(self, patterns: Patterns) -> str:
        """One pattern of all."""
        return "|".join(one.replace("$front", self.front).replace("$key", self.key) for one in patterns)


@cache
def failures() -> Failures:
    """The patterns as shipped. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return Failures.model_validate(yaml.safe_load(FAILURES_FILE.read_text(encoding="utf-8")))


def failure_filter(texts: Sequence[tuple[str, str]], levels: Mapping[str, Iterable[str]]) -> str:
    """LogsQL without pipes. ``texts`` are fields that hold the text, each with the filter under which it does (empty:
    always); ``levels`` are the fields of each scale."""
    known = failures()

    def text(patterns: Patterns) -> str:
        pattern = quoted(known.joined(patterns))
        return _any(f"({when} {quoted(field)}:~{pattern})" for field, when in texts)

    failing, harmless = [], []
    for scale, fields in levels.items():
        for field in fields:
            failing.append(f"{quoted(field)}:~{quoted(known.levels[scale].failure)}")
            harmless.append(f"{quoted(field)}:~{quoted(known.levels[scale].harmless)}")
    pieces = "|".join(re.escape(piece) for piece in known.pieces)
    candidates = [*failing, text((pieces,)), text((known.begins,))]
    words = f"({text(known.certain)} or ({text(known.likely)} !{text(known.harmless)}))"
    by_level = f"({_any(failing)} or (!{_any(harmless)} {words}))" if failing else words
    return f"({_any(candidates)} ({text(known.own_failure)} or (!{text(known.own_harmless)} {by_level})))"


def is_failure(text: str, levels: Iterable[tuple[str, str]] = ()) -> bool:
    """The same of one entry. ``levels`` are (scale, value) pairs."""
    known, pairs = failures(), list(levels)
    is_failing = any(re.search(known.levels[scale].failure, value) for scale, value in pairs)
    if not (is_failing or any(piece in text for piece in known.pieces) or re.search(known.begins, text)):
        return False
    if _fits(known.own_failure, text):
        return True
    if _fits(known.own_harmless, text):
        return False
    if is_failing:
        return True
    if any(re.search(known.levels[scale].harmless, value) for scale, value in pairs):
        return False
    return _fits(known.certain, text) or (_fits(known.likely, text) and not _fits(known.harmless, text))


def begins_trace(text: str) -> bool:
    """Whether it is the first line of a trace that came line by line, and says nothing of what went wrong."""
    return re.search(failures().trace_begins, text) is not None


def _fits(patterns: Patterns, text: str) -> bool:
    return _compiled(patterns).search(text) is not None


@cache
def _compiled(patterns: Patterns) -> re.Pattern[str]:
    return re.compile(failures().joined(patterns))


def _any(filters: Iterable[str]) -> str:
    return f"({' or '.join(filters)})"
