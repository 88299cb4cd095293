"""Loads ``rules.yaml``: how alerts are recognised, grouped and counted."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.model.finding import Severity
from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("rules.yaml")


class Rules(BaseModel):
    """``rules.yaml`` explains each value; no unknown keys, so that a typing mistake is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels_left_out: frozenset[str]
    group_by: tuple[str, ...] = Field(min_length=1)
    wait_minutes: float = Field(ge=0)
    quiet_minutes: float = Field(gt=0)
    flapping_changes: int = Field(ge=2)
    flapping_minutes: float = Field(gt=0)
    storm_minutes: float = Field(gt=0)
    storm_groups: int = Field(ge=2)
    storm_alerts: int = Field(ge=2)
    most_firing: int = Field(ge=1)
    unheard_minutes: float = Field(gt=0)
    missed_after_minutes: float = Field(gt=0)
    keep_days: float = Field(gt=0)
    severities: dict[Severity, frozenset[str]]

    @property
    def wait(self) -> timedelta:
        return timedelta(minutes=self.wait_minutes)

    @property
    def quiet(self) -> timedelta:
        return timedelta(minutes=self.quiet_minutes)

    def severity_of(self, word: str) -> Severity:
        """A severity label in our own three words."""
        folded = word.strip().lower()
        return next((ours for ours, words in self.severities.items() if folded in words), Severity.WARNING)


@cache
def alert_rules() -> Rules:
    """The shipped rules. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return load_strictly(RULES_FILE, Rules)
