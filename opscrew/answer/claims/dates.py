"""Finds clock times, dates and weekdays in text, and tells whether two of them are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from opscrew.answer.times.words import time_words

CLOCK = re.compile(
    r"(?<![\d:.])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::\d{2}(?:\.\d+)?)?(?P<half>\s?[ap]\.?m\b)?"
    r"(?P<utc>\s?(?:(?:UTC|GMT)(?!\w)|Z(?!\w)|\+00:00))?",
    re.IGNORECASE,
)
HALF_DAY = re.compile(r"(?<![\d:.])(?P<hour>1[0-2]|[1-9])\s?(?P<half>[ap])\.?m\b", re.IGNORECASE)
HALF_DAY_BEGIN = re.compile(
    r"(?<![\d:.])(?P<hour>1[0-2]|[1-9])\s?(?:-|–|to|and|until|till)\s?(?=(?:1[0-2]|[1-9])\s?(?P<half>[ap])\.?m\b)",
    re.IGNORECASE,
)
""" "between 4 and 6 am": the first hour too is before noon."""
ISO_DATE = re.compile(r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
MONTHS = {names[0][:3]: number for number, names in enumerate(time_words().months, 1)}
WEEKDAYS = {names[0]: number for number, names in enumerate(time_words().weekdays)}
_MONTH = "|".join(MONTHS)
DAY_MONTH = re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})[a-z]*\b", re.IGNORECASE)
MONTH_DAY = re.compile(rf"\b(?P<month>{_MONTH})[a-z]*\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)", re.IGNORECASE)
WEEKDAY = re.compile(rf"\b(?P<weekday>{'|'.join(WEEKDAYS)})s?\b", re.IGNORECASE)


@dataclass(frozen=True)
class Moment:
    """Just one of the three is set: ``minute`` of the day, ``day`` as (month, day), or ``weekday``. ``is_utc`` for a
    minute with a zone behind it; else the configured zone is meant."""

    text: str
    minute: int | None = None
    day: tuple[int, int] | None = None
    weekday: int | None = None
    is_utc: bool = False

    def __str__(self) -> str:
        return self.text


def moments_in(text: str) -> list[Moment]:
    """Clock times, dates and weekdays, each as a moment of its own."""
    found = [
        Moment(m[0], minute=_minute(int(m["hour"]), int(m["minute"]), m["half"]), is_utc=bool(m["utc"]))
        for m in CLOCK.finditer(text)
    ]
    found += [Moment(m[0], minute=_minute(int(m["hour"]), 0, m["half"])) for m in HALF_DAY.finditer(text)]
    found += [Moment(m[0], minute=_minute(int(m["hour"]), 0, m["half"])) for m in HALF_DAY_BEGIN.finditer(text)]
    found += [Moment(m[0], day=(int(m["month"]), int(m["day"]))) for m in ISO_DATE.finditer(text)]
    for pattern in (DAY_MONTH, MONTH_DAY):
        for m in pattern.finditer(text):
            found.append(Moment(m[0], day=(MONTHS[m["month"].lower()], int(m["day"]))))
    found += [Moment(m[0], weekday=WEEKDAYS[m["weekday"].lower()]) for m in WEEKDAY.finditer(text)]
    return found


def in_zone(moment: Moment, at: datetime, zone: tzinfo) -> Moment:
    """A minute of UTC as the minute that clocks in ``zone`` show, on the day of ``at``."""
    offset = at.astimezone(zone).utcoffset()
    if not moment.is_utc or moment.minute is None or offset is None:
        return moment
    return replace(moment, minute=(moment.minute + int(offset.total_seconds()) // 60) % 1440, is_utc=False)


def same_moment(said: Moment, seen: object) -> bool:
    """To the minute, the day or the weekday."""
    if not isinstance(seen, Moment):
        return False
    return (said.minute, said.day, said.weekday) == (seen.minute, seen.day, seen.weekday)


def _minute(hour: int, minute: int, half: str | None) -> int:
    if half and hour <= 12:
        hour = hour % 12 + (12 if half.strip().lower().startswith("p") else 0)
    return hour * 60 + minute
