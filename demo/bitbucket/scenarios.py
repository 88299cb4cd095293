"""Loads scenarios.yaml and checks it, so that a slip in the data is named at the start and not in a test far away."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

FILE = Path(__file__).with_name("scenarios.yaml")


class Part(BaseModel):
    """No unknown keys, no changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorText(Part):
    key: str
    message: str


class Outcome(Part):
    """What one attempt of a step comes to. ``cut`` is the share of the log that was written."""

    result: Literal["SUCCESSFUL", "FAILED", "ERROR", "STOPPED", "RUNNING"]
    log: Literal["passing", "flaky", "failing", "persistent", "outage", ""]
    error: ErrorText | None = None
    cut: float = Field(default=1, ge=0, le=1)


class StepScript(Part):
    """One step and its outcomes by attempt; the last repeats."""

    name: str
    seconds: float = Field(gt=0)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    after_outage: Outcome | None = None
    deploys: str = ""
    manual: bool = False
    halted: int = Field(default=0, ge=0)

    def outcome(self, attempt: int, *, outage_is_over: bool) -> Outcome:
        """``attempt`` counts from 1."""
        if self.after_outage is not None and outage_is_over:
            return self.after_outage
        return self.outcomes[min(attempt, len(self.outcomes)) - 1]


class VariableScript(Part):
    key: str
    value: str = ""
    secured: bool = False


class Scenario(Part):
    """A named fate. ``stopped_after`` is in seconds; ``error`` fails the pipeline before any step."""

    about: str
    steps: tuple[StepScript, ...]
    error: ErrorText | None = None
    stopped_after: float | None = None
    variables: tuple[VariableScript, ...] = ()


@cache
def scenarios() -> dict[str, Scenario]:
    """All of them, by name."""
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Scenario.model_validate(entry) for name, entry in data.items()}


def scenario(name: str) -> Scenario:
    """The one of that name; ``KeyError`` lists the names there are."""
    found = scenarios().get(name)
    if found is None:
        raise KeyError(f"no scenario {name!r}; there are: {', '.join(sorted(scenarios()))}")
    return found
