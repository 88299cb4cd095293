"""The hours in which nothing is done by itself.

They are meant as people read a clock on the wall: "22:00-06:00" begins and ends at those local times on every day,
also on the two days a year when the clock is changed. An hour that happens twice counts both times, and one that is
skipped is simply not there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from opscrew.errors import UsageError

_RANGE = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_DAY_END = 24 * 60


@dataclass(frozen=True)
class QuietHours:
    """``ranges`` in minutes after local midnight, start included, end not. A start above its end spans midnight."""

    ranges: tuple[tuple[int, int], ...]
    zone: ZoneInfo

    def cover(self, moment: datetime) -> bool:
        """Is it quiet at this (timezone-aware) moment?"""
        local = moment.astimezone(self.zone).time()
        return any(_inside(local, start, end) for start, end in self.ranges)

    def __str__(self) -> str:
        return ", ".join(f"{_clock(start)}-{_clock(end)}" for start, end in self.ranges) + f" {self.zone.key}"


def parse_quiet_hours(text: str, zone: ZoneInfo) -> QuietHours:
    """``"22:00-06:00"``, several separated by commas, or nothing. Raises ``UsageError``."""
    parts = [part for part in text.split(",") if part.strip()]
    return QuietHours(tuple(_parse(part) for part in parts), zone)


def _parse(part: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(part)
    if match:
        start_hour, start_minute, end_hour, end_minute = (int(number) for number in match.groups())
        start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
        if start_minute < 60 and end_minute < 60 and start < _DAY_END and end <= _DAY_END and start != end:
            return start, end
    raise UsageError(f"quiet_hours: cannot read {part.strip()!r}", 'Write "22:00-06:00", or "00:00-24:00" for always.')


def _inside(local: time, start: int, end: int) -> bool:
    minute = local.hour * 60 + local.minute
    return start <= minute < end if start < end else minute >= start or minute < end


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
