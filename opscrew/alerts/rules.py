"""Loads ``rules.yaml``: how alerts are recognised, grouped and counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.alerts.sentences import is_broken
from opscrew.model.finding import Severity
from opscrew.strict_yaml import Expression, load_strictly

RULES_FILE = Path(__file__).with_name("rules.yaml")


class Rules(BaseModel):
    """``rules.yaml`` explains each value; no unknown keys, so that a typing mistake is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels_left_out: frozenset[str]
    group_by: tuple[str, ...] = Field(min_length=1)
    group_queries_by: tuple[str, ...] = Field(min_length=1)
    wait_minutes: float = Field(ge=0)
    quiet_minutes: float = Field(gt=0)
    flapping_changes: int = Field(ge=2)
    flapping_minutes: float = Field(gt=0)
    storm_minutes: float = Field(gt=0)
    storm_groups: int = Field(ge=2)
    storm_alerts: int = Field(ge=2)
    storm_rest: int = Field(ge=0)
    storm_named: int = Field(ge=1)
    most_firing: int = Field(ge=1)
    unheard_minutes: float = Field(gt=0)
    missed_after_minutes: float = Field(gt=0)
    keep_days: float = Field(gt=0)
    heartbeats: Expression
    quiet_heartbeats: Expression
    heartbeat_labels: frozenset[str]
    heartbeat_grace_minutes: float = Field(gt=0)
    heartbeat_first_minutes: float = Field(gt=0)
    untold: frozenset[str]
    test_minutes: float = Field(gt=0)
    severity_labels: tuple[str, ...] = Field(min_length=1)
    severities: dict[Severity, frozenset[str]]

    @property
    def wait(self) -> timedelta:
        return timedelta(minutes=self.wait_minutes)

    @property
    def quiet(self) -> timedelta:
        return timedelta(minutes=self.quiet_minutes)

    def severity_of(self, labels: Mapping[str, str]) -> Severity:
        """The first severity label whose word is known, in our own three words."""
        for word in self._severity_words(labels):
            for ours, words in self.severities.items():
                if _plain(word) in words:
                    return ours
        return Severity.WARNING

    def unknown_severity(self, labels: Mapping[str, str]) -> str:
        """The word that its rule gave where none of its severity labels has a word that is known."""
        words = self._severity_words(labels)
        known = any(_plain(word) in ours for word in words for ours in self.severities.values())
        return "" if known or not words else words[0]

    def _severity_words(self, labels: Mapping[str, str]) -> list[str]:
        folded = {name.lower(): value for name, value in labels.items()}
        words = (folded.get(name, "") for name in self.severity_labels)
        return [word for word in words if word.strip() and not is_broken(word)]


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]", "", word.lower())


@cache
def alert_rules() -> Rules:
    """The shipped rules. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return load_strictly(RULES_FILE, Rules)
