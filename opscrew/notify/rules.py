"""The thresholds of ``rules.yaml``, which explains them."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("rules.yaml")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Kinds(_Part):
    alerts: tuple[str, ...]
    actions: tuple[str, ...]


class Pace(_Part):
    minutes: float
    messages: int
    critical_messages: int


class Retry(_Part):
    first_seconds: float
    longest_seconds: float

    def pause(self, failures: int, asked: float | None) -> timedelta:
        """After so many failures in a row; ``asked`` is what the service named, in seconds."""
        doubled = self.first_seconds * 2 ** min(failures - 1, 20)
        return timedelta(seconds=min(max(doubled, asked or 0), self.longest_seconds))


class Rules(_Part):
    kinds: Kinds
    told_as_actions: tuple[str, ...]
    pace: Pace
    most_named: int
    retry: Retry
    failing_minutes: float
    expires_hours: float
    held_expires_hours: float
    lease_seconds: float
    digest_late_hours: float
    keep_days: float

    def kind_of(self, code: str) -> str:
        """``alerts``, ``actions`` or ``findings``."""
        if code.startswith(self.kinds.alerts):
            return "alerts"
        return "actions" if code.startswith(self.kinds.actions) else "findings"


@cache
def rules() -> Rules:
    """Raises ``UsageError`` for a file that was edited wrongly."""
    return load_strictly(RULES_FILE, Rules)
