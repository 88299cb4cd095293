"""One thing that a status says about its object, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Health(IntEnum):
    """Sorted by how much it matters."""

    FINE = 0
    ON_HOLD = 1
    IN_PROGRESS = 2
    UNCLEAR = 3  # not ready, and nothing says why
    FAILED = 4


@dataclass(frozen=True, slots=True)
class Sign:
    """``where`` is the condition type or the field it was read from. ``since_creation`` is whether it holds since the
    object was made, where no time is told: what was never ready is as old as the object."""

    health: Health
    where: str = ""
    reason: str = ""
    message: str = ""
    since: datetime | None = None
    since_creation: bool = False
