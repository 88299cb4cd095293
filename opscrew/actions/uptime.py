"""How much time really passed, whatever was done to the clock meanwhile.

Budgets, cooldowns and leases measure time between two moments. A clock that is set forward would make an hour pass in
a second and reopen every budget, so each moment is stored together with the machine's uptime, which nobody can set.
Within one boot of one machine the difference of uptimes counts. Across a reboot, or between machines, only the clocks
are known: a difference below zero then counts as no time at all, which keeps budgets closed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Uptime:
    """``boot`` names one boot of one machine; ``seconds`` counts since then, sleep included."""

    boot: str
    seconds: float


UptimeSource = Callable[[], Uptime | None]


@dataclass(frozen=True)
class Moment:
    """A time as the clock said it, with the uptime where it is known."""

    at: datetime
    uptime: Uptime | None = None


def machine_uptime() -> Uptime | None:
    """The uptime of this machine; ``None`` where the system (not Linux) does not say which boot it is."""
    try:
        return Uptime(_BOOT_ID.read_text(encoding="ascii").strip(), time.clock_gettime(time.CLOCK_BOOTTIME))
    except (OSError, AttributeError):
        return None


def no_uptime() -> None:
    """For worlds with a clock of their own (tests, the demo's compressed hour): their clock alone counts."""
    return


def elapsed(earlier: Moment, later: Moment) -> timedelta:
    """The time between two moments, never negative."""
    if earlier.uptime and later.uptime and earlier.uptime.boot == later.uptime.boot:
        return timedelta(seconds=max(0.0, later.uptime.seconds - earlier.uptime.seconds))
    return max(timedelta(), later.at - earlier.at)
