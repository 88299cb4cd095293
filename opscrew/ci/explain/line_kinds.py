"""Tells of which kinds a line is: reads line_kinds.yaml, where the kinds are described, and matches all at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import re2
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from opscrew.strict_yaml import read_strictly

AUTOMATON_BYTES = 32 * 1024 * 1024
"""What the automaton may remember. With re2's own 8 MB it forgets in the middle of a log of many tools and builds its
states again, which takes twice as long."""

KINDS_FILE = Path(__file__).with_name("line_kinds.yaml")

Role = Literal["headline", "detail", "noise", "epilogue", "marker", "plain"]


class LineKind(BaseModel):
    """One entry of line_kinds.yaml: what matches at the beginning of a line, and what anywhere in it. Expressions that
    the file gives as a list are any of them; "" matches nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Role
    begins: str = ""
    pattern: str = ""
    example: str

    @field_validator("begins", "pattern", mode="before")
    @classmethod
    def _any_of(cls, written: object) -> object:
        return "|".join(map(str, written)) if isinstance(written, list) else written

    @model_validator(mode="after")
    def _matches_something(self) -> LineKind:
        if not (self.begins or self.pattern):
            raise ValueError(f"{self.name} needs begins, pattern or both")
        return self


@dataclass(frozen=True)
class Automaton:
    """Some expressions tried together, and the column of the kind that each belongs to."""

    expressions: Any
    column_of: npt.NDArray[np.intp]

    def matches(self, lines: list[bytes]) -> tuple[list[int], npt.NDArray[np.intp]]:
        """Rows and columns of the matches: each line's number, once for every kind that it is of, and those kinds."""
        rows: list[int] = []
        hits: list[int] = []
        for row, found in enumerate(map(self.expressions.Match, lines)):
            if found:
                rows += [row] * len(found)
                hits += found
        return rows, self.column_of[hits]


@dataclass(frozen=True)
class LineKinds:
    """All kinds in the file's order, and the automata that try them together.

    An automaton builds its states while it reads. What is anchored at the beginning of a line is soon decided, and in
    an automaton of its own it does not multiply the states of all the rest: text that is new takes half the time.
    """

    kinds: tuple[LineKind, ...]
    automata: tuple[Automaton, ...]

    def match(self, texts: list[str]) -> npt.NDArray[np.bool_]:
        """One row a line, one column a kind."""
        different = {text: row for row, text in enumerate(dict.fromkeys(texts))}  # logs repeat themselves
        encoded = [text.encode() for text in different]  # the automata read bytes, and are slower to encode them
        found = np.zeros((len(different), len(self.kinds)), dtype=np.bool_)
        for automaton in self.automata:
            found[automaton.matches(encoded)] = True
        of_each_line: npt.NDArray[np.bool_] = found[[different[text] for text in texts]]
        return of_each_line

    def names(self) -> list[str]:
        return [kind.name for kind in self.kinds]

    def columns(self, role: Role) -> list[int]:
        """The columns of the kinds with this role."""
        return [column for column, kind in enumerate(self.kinds) if kind.role == role]


@cache
def line_kinds() -> LineKinds:
    """The kinds as the file describes them; read once."""
    entries = cast("list[dict[str, Any]]", read_strictly(KINDS_FILE)[0]["kinds"])
    kinds = tuple(LineKind.model_validate(entry) for entry in entries)
    return LineKinds(kinds, (_automaton(kinds, "begins"), _automaton(kinds, "pattern")))


def _automaton(kinds: tuple[LineKind, ...], where: Literal["begins", "pattern"]) -> Automaton:
    options = re2.Options()
    options.max_mem = AUTOMATON_BYTES
    expressions = re2.Set.MatchSet(options) if where == "begins" else re2.Set.SearchSet(options)
    columns = [column for column, kind in enumerate(kinds) if getattr(kind, where)]
    for column in columns:
        expressions.Add(getattr(kinds[column], where))
    expressions.Compile()
    return Automaton(expressions, np.array(columns, np.intp))
