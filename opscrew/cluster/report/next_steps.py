"""The next step that fits the words of a problem (``next_steps.yaml``), where they tell more than its code does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.cluster.custom.vocabulary import words_of
from opscrew.cluster.problem import Problem
from opscrew.strict_yaml import load_strictly

NEXT_STEPS_FILE = Path(__file__).with_name("next_steps.yaml")


class Step(BaseModel):
    """``step`` is what to do where one of the ``words`` is said."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[str, ...] = Field(min_length=1)
    step: str = Field(min_length=1)

    def fits(self, said: str) -> bool:
        return any(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said) for word in self.words)


def next_step_of(problem: Problem) -> str:
    """The step of the first entry that fits; empty where the code's own stands."""
    said = f"{problem.cause.lower()} {' '.join(words_of(problem.reason))}"
    return next((step.step for step in next_steps().get(problem.code, ()) if step.fits(said)), "")


@cache
def next_steps() -> Mapping[str, tuple[Step, ...]]:
    """Steps by code. Raises ``UsageError`` that names the line."""
    return load_strictly(NEXT_STEPS_FILE, dict[str, tuple[Step, ...]])
