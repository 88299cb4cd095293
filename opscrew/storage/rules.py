"""Loads ``rules.yaml``: when a volume is a problem, how far to enlarge it, and what that costs."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("rules.yaml")


class Rules(BaseModel):
    """No unknown keys, so that a typing mistake in the file is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(Rules):
    """``type`` is the class's parameter of that name; empty fits every type."""

    provisioner: str
    type: str
    usd_per_gib_month: Decimal = Field(gt=0)


class StorageRules(Rules):
    """See ``rules.yaml`` for the meaning and the unit of each."""

    horizon_days: int = Field(ge=1)
    full_free_percent: float = Field(gt=0, lt=100)
    full_free_gib: int = Field(ge=1)
    critical_days: float = Field(gt=0)
    sprint_free_percent: float = Field(gt=0, lt=100)
    sprint_above_percent: float = Field(ge=0)
    young_used_percent: float = Field(gt=0, le=100)
    fewest_hours: int = Field(ge=1)
    fewest_daily_values: int = Field(ge=3)
    history_days: int = Field(ge=14)
    stale_percent: float = Field(gt=0, lt=100)
    overhead_mib: int = Field(ge=0)
    overhead_most_percent: float = Field(gt=0, lt=100)
    step_percent: float = Field(gt=0)
    runway_days: int = Field(ge=1)
    target_used_percent: float = Field(gt=0, lt=100)
    most_times: float = Field(gt=1)
    maximum_gib: int = Field(ge=1)
    cooldown_hours: float = Field(gt=0)
    clean_up_percent: float = Field(gt=0, lt=100)
    clean_ups: int = Field(ge=1)
    overdue_times: float = Field(ge=1)
    inodes_bytes_percent: float = Field(gt=0, lt=100)
    prices: tuple[Price, ...]


@cache
def storage_rules() -> StorageRules:
    """The rules as shipped. Raises pydantic's ``ValidationError`` when the file was edited wrongly."""
    return load_strictly(RULES_FILE, StorageRules)
