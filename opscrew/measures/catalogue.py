"""Reads ``catalogue.yaml`` strictly: what each number means, and how it may be asked for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from opscrew.errors import UsageError
from opscrew.strict_yaml import load_strictly

CATALOGUE_FILE = Path(__file__).with_name("catalogue.yaml")

Unit = Literal["count", "share", "seconds", "minutes"]
How = Literal["count", "share", "sum", "mean", "p50", "p95", "max", "last"]
Condition = Literal["known"] | bool | list[str]

OF_ROWS: tuple[How, ...] = ("count", "last")
"""Aggregations that count rows; ``share`` compares two counts, and the others need a value."""


class Measure(BaseModel):
    """See ``catalogue.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    definition: str = Field(pattern=r"\.$")
    unit: Unit
    source: str
    where: dict[str, Condition] = Field(default_factory=dict)
    of: dict[str, Condition] = Field(default_factory=dict)
    value: str = ""
    how: tuple[How, ...] = Field(min_length=1)
    dimensions: tuple[str, ...] = Field(min_length=1)
    good: Literal["up", "down", "neither"]
    words: tuple[str, ...] = Field(min_length=1)
    derived: bool = False
    """Worked out, since the system does not tell it."""
    reported: bool = False
    """Only some rows have the value: where none has one, nothing is known, which is not 0."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for how in self.how:
            if how == "share" and not self.of:
                raise ValueError("a share needs `of`")
            if how not in (*OF_ROWS, "share") and not self.value:
                raise ValueError(f"{how} needs a `value`")
            if how in OF_ROWS and self.value:
                raise ValueError(f"{how} counts rows and takes no `value`")
        if (self.unit == "share") != (self.how == ("share",)):
            raise ValueError("unit and aggregation `share` go together")
        return self


@cache
def catalogue() -> Mapping[str, Measure]:
    """By name, in the order of the file. Raises ``UsageError`` for a file that was edited wrongly."""
    from opscrew.measures.sources import sources

    read = load_strictly(CATALOGUE_FILE, dict[str, Measure])
    for name, measure in read.items():
        _check_columns(name, measure, {key: source.names for key, source in sources("sqlite").items()})
    return read


def measure_named(name: str) -> Measure:
    """Raises ``UsageError`` that names near ones."""
    known = catalogue()
    if name not in known:
        raise UsageError(f"there is no measure {name!r}", near(name, known) or "`crew measures list` shows all.")
    return known[name]


def near(word: str, known: Iterable[str]) -> str:
    """ "Did you mean …?", or nothing."""
    found = difflib.get_close_matches(word.lower(), list(known), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(found)}?" if found else ""


def _check_columns(name: str, measure: Measure, known: Mapping[str, frozenset[str]]) -> None:
    if measure.source not in known:
        raise UsageError(
            f"{CATALOGUE_FILE}: {name}: there is no source {measure.source!r}", f"There are: {', '.join(known)}."
        )
    for column in (*measure.where, *measure.of, *filter(None, [measure.value]), *measure.dimensions):
        if column not in known[measure.source]:
            hint = f"It has: {', '.join(sorted(known[measure.source]))}."
            raise UsageError(f"{CATALOGUE_FILE}: {name}: {measure.source} has no {column!r}", hint)
