"""How many requests the history may send now. Pure; the numbers and their reasons stand in ``spending.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from opscrew.strict_yaml import load_strictly

RULES_FILE = Path(__file__).with_name("spending.yaml")


class SpendingRules(BaseModel):
    """See ``spending.yaml``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leave_share: float = Field(ge=0, lt=1)
    most_a_run: int = Field(ge=1)
    older_share: float = Field(gt=0, le=1)
    newest_minutes: float = Field(gt=0)
    again_minutes: float = Field(gt=0)


@cache
def spending_rules() -> SpendingRules:
    """The rules as shipped."""
    return load_strictly(RULES_FILE, SpendingRules)


def allowance(remaining: int, limit: int, rules: SpendingRules) -> int:
    """Requests of this run, where ``remaining`` of the hour's ``limit`` are left."""
    return max(0, min(rules.most_a_run, int(remaining - rules.leave_share * limit)))
