"""What one check is, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crews.runtime.systems import Systems
from opscrew.settings import Settings


class Level(StrEnum):
    """``warning`` still works. ``off`` is not configured, which is no mistake."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    OFF = "off"


@dataclass(frozen=True)
class Result:
    """``text`` says what was found, ``hint`` how to mend it. ``server_time`` is the other side's clock, if it told."""

    level: Level
    text: str
    hint: str = ""
    server_time: datetime | None = None


@dataclass(frozen=True)
class Check:
    """``look`` gives one result; an ``UpstreamError`` or ``CrewError`` that it raises counts as failed."""

    name: str
    look: Callable[[Systems], Result]


@dataclass(frozen=True)
class CheckFamily:
    """Turns settings into checks: none configured gives one check that says "off"."""

    name: str
    checks: Callable[[Settings], tuple[Check, ...]]


def off(name: str, hint: str) -> tuple[Check, ...]:
    """The answer of a family whose part is not configured."""
    return (Check(name, lambda _: Result(Level.OFF, "not configured", hint)),)
