"""Which figures a question asks for, and what a series of values comes to in one line: now, mean, highest and when.

Pure: the values are fetched elsewhere. A person who asks "how busy is node 7" wants one sentence, not sixty points.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from opscrew.strict_yaml import load_strictly

MEASURES_FILE = Path(__file__).with_name("measures.yaml")

Unit = Literal["cores", "bytes", "bytes a second", "share", "requests a second", "seconds", "restarts"]

SIZES = ((2**40, "TiB"), (2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"))


class Measure(BaseModel):
    """See ``measures.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    words: str
    queries: dict[str, Unit]
    usual: bool = False

    @field_validator("words")
    @classmethod
    def _compiles(cls, words: str) -> str:
        re.compile(words)
        return words


@dataclass(frozen=True)
class Course:
    """How one series went. ``highest_at`` is when the highest value was seen; ``last_at`` when the last one was."""

    last: float
    mean: float
    highest: float
    highest_at: datetime
    last_at: datetime


@cache
def measures() -> Mapping[str, Measure]:
    """By name, in the order of the file. ``CrewError`` for a file that was edited wrongly."""
    return load_strictly(MEASURES_FILE, dict[str, Measure])


def measures_asked(questions: Sequence[str]) -> list[Measure]:
    """Those of the first of the questions that names any; the usual ones where none does."""
    for question in questions:
        named = [one for one in measures().values() if re.search(one.words, question, re.IGNORECASE)]
        if named:
            return named
    return [one for one in measures().values() if one.usual]


def course(points: Sequence[tuple[float, float]]) -> Course | None:
    """``points`` are (Unix seconds, value), oldest first. None where no value is a number."""
    real = [(at, value) for at, value in points if math.isfinite(value)]
    if not real:
        return None
    highest_at, highest = max(real, key=lambda point: point[1])
    return Course(
        last=real[-1][1],
        mean=math.fsum(value for _, value in real) / len(real),
        highest=highest,
        highest_at=datetime.fromtimestamp(highest_at, UTC),
        last_at=datetime.fromtimestamp(real[-1][0], UTC),
    )


def in_unit(value: float, unit: Unit) -> str:
    """``0.873`` as a share is "87.3 %"; bytes get a binary prefix."""
    if unit == "share":
        return f"{value * 100:.1f} %"
    if unit in ("bytes", "bytes a second"):
        size, name = next(((size, name) for size, name in SIZES if abs(value) >= size), (1, "bytes"))
        return f"{value / size:.1f} {name}" + ("/s" if unit == "bytes a second" else "")
    if unit == "seconds":
        return f"{value * 1000:.0f} ms" if abs(value) < 1 else f"{value:.2f} s"
    if unit == "cores":
        return f"{value:.2f} cores"
    if unit == "restarts":
        return f"{value:.0f} restarts"
    return f"{value:.1f} {unit}"
