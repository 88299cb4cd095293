"""Tells of which kinds a line is: reads line_kinds.yaml, where the kinds are described, and matches all at once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import re2
import yaml
from pydantic import BaseModel, ConfigDict, field_validator

AUTOMATON_BYTES = 32 * 1024 * 1024
"""What the automaton may remember. With re2's own 8 MB it forgets in the middle of a log of many tools and builds its
states again, which takes twice as long."""

KINDS_FILE = Path(__file__).with_name("line_kinds.yaml")

Role = Literal["headline", "detail", "noise", "epilogue", "marker", "plain"]


class LineKind(BaseModel):
    """One entry of line_kinds.yaml. A pattern that the file gives as a list is any of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    role: Role
    pattern: str
    example: str

    @field_validator("pattern", mode="before")
    @classmethod
    def _any_of(cls, written: object) -> object:
        return "|".join(map(str, written)) if isinstance(written, list) else written


@dataclass(frozen=True)
class LineKinds:
    """All kinds in the file's order, and the automaton that tries them together."""

    kinds: tuple[LineKind, ...]
    automaton: Any

    def match(self, texts: list[str]) -> npt.NDArray[np.bool_]:
        """One row a line, one column a kind."""
        different = dict.fromkeys(texts)  # logs repeat themselves
        encoded = [
            text.encode() for text in different
        ]  # the automaton reads bytes, and is slower to encode them itself
        known = dict(zip(different, map(self.automaton.Match, encoded), strict=True))
        matched = [known[text] or () for text in texts]
        rows = np.repeat(np.arange(len(texts)), np.array([len(columns) for columns in matched], np.intp))
        found = np.zeros((len(texts), len(self.kinds)), dtype=np.bool_)
        found[rows, list(chain.from_iterable(matched))] = True
        return found

    def names(self) -> list[str]:
        return [kind.name for kind in self.kinds]

    def columns(self, role: Role) -> list[int]:
        """The columns of the kinds with this role."""
        return [column for column, kind in enumerate(self.kinds) if kind.role == role]


@cache
def line_kinds() -> LineKinds:
    """The kinds as the file describes them; read once."""
    entries = cast("list[dict[str, Any]]", yaml.safe_load(KINDS_FILE.read_text(encoding="utf-8"))["kinds"])
    kinds = tuple(LineKind.model_validate(entry) for entry in entries)
    options = re2.Options()
    options.max_mem = AUTOMATON_BYTES
    automaton = re2.Set.SearchSet(options)
    for kind in kinds:
        automaton.Add(kind.pattern)
    automaton.Compile()
    return LineKinds(kinds, automaton)
