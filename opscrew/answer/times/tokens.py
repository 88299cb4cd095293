"""Cuts a question into words and into numbers that may belong to a time: "24h", "9-11", "2pm", "1.4.2026", "3rd"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time

from opscrew.answer.times.words import MONTHS, WEEKDAYS, any_of, time_words


@dataclass(frozen=True)
class Clock:
    """A time of day. ``is_open`` where it may also be twelve hours later: "at 3". ``zone`` is "" for the configured."""

    time: time
    is_open: bool = False
    zone: str = ""


@dataclass(frozen=True)
class Token:
    """``kind`` says which of the values is set: word (none but ``text``), number, ordinal, clock, date, day_month,
    length or quarter."""

    text: str
    kind: str = "word"
    number: float = 0
    clock: Clock | None = None
    date: date | None = None
    day_month: tuple[int, int] = (0, 0)
    unit: str = ""


RANGED = ("number", "clock", "ordinal", "date")

_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})t(?=\d)")
"""Between date and time of "2026-04-07T14:05:00Z"."""


def tokens_of(question: str) -> list[Token]:
    """In order, in lower case, without the punctuation around words. "9-11" becomes "9 to 11"."""
    found: list[Token] = []
    for chunk in _MOMENT.sub(r"\1 ", question.lower().replace("’", "'")).split():
        found += _read(_bare(chunk))
    return [token for token in found if token.text]


def half_day(hour: int, minute: int, half: str) -> time | None:
    """``half`` is "", "am" or "pm", with or without points. None for no time of day."""
    letter = half.strip()[:1]
    if letter and hour <= 12:
        hour = hour % 12 + (12 if letter == "p" else 0)
    if hour == 24 and minute == 0:
        hour = 0
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _bare(chunk: str) -> str:
    """A point behind "1.4." is part of the date."""
    chunk = chunk.strip("?!,;:\"'()[]{}…`")
    return chunk if re.fullmatch(r"\d{1,2}\.\d{1,2}\.", chunk) else chunk.rstrip(".")


def _read(chunk: str) -> list[Token]:
    for pattern, read in _SHAPES:
        match = pattern.fullmatch(chunk)
        if match:
            token = read(match)
            return [token] if token else [Token("")]
    return _joined(chunk) or [Token(re.sub(r"'s$", "", chunk))]


def _joined(chunk: str) -> list[Token]:
    """ "9-11", "10:00–11:30", "mon-wed", "mid-march"; [] for any other word."""
    for joint in ("..", "–", "-"):
        if chunk.count(joint) != 1:
            continue
        first, second = chunk.split(joint)
        sides = [_read(first), _read(second)] if first and second else []
        if sides and all(len(side) == 1 and side[0].kind in RANGED for side in sides):
            return [*sides[0], Token("to"), *sides[1]]
        if {first, second} <= WEEKDAYS.keys() or {first, second} <= MONTHS.keys():
            return [Token(first), Token("to"), Token(second)]
        if {first, second} <= time_words().every_word():
            return [Token(first), Token(second)]
    return []


def _clock(match: re.Match[str]) -> Token | None:
    parts = match.groupdict()
    half, minute = parts.get("half") or "", parts.get("minute")
    found = half_day(int(parts["hour"]), int(minute or 0), half)
    if found is None:
        return None
    is_open = not half and 0 < int(parts["hour"]) <= 12 and not parts["hour"].startswith("0")
    return Token(match[0], "clock", clock=Clock(found, is_open and not minute, parts.get("zone") or ""))


def _date(match: re.Match[str]) -> Token | None:
    year, month, day = (int(match[name]) for name in ("year", "month", "day"))
    if "/" in match[0] and ((month > 12) or (not time_words().day_first and day <= 12)):
        month, day = day, month
    try:
        return Token(match[0], "date", date=date(year, month, day))
    except ValueError:
        return None


def _day_month(match: re.Match[str]) -> Token | None:
    return Token(match[0], "day_month", day_month=(int(match["day"]), int(match["month"])))


def _length(match: re.Match[str]) -> Token | None:
    return Token(match[0], "length", number=float(match["number"]), unit=time_words().unit_of(match["unit"]))


_UNITS = any_of(spelling for spellings in time_words().units.values() for spelling in spellings)
_HALF = r"(?P<half>am|pm|a\.m|p\.m)"
_ZONE = rf"(?P<zone>{any_of(time_words().zones)})"
_SHAPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Token | None]], ...] = tuple(
    (re.compile(pattern), read)
    for pattern, read in (
        (r"\d{1,6}|\d{1,3}\.\d{1,2}", lambda match: Token(match[0], "number", number=float(match[0]))),
        (r"(\d{1,2})(?:st|nd|rd|th)", lambda match: Token(match[0], "ordinal", number=float(match[1]))),
        (rf"(?P<hour>\d{{1,2}})[:h](?P<minute>\d{{2}})(?::\d{{2}}(?:\.\d+)?)?{_HALF}?{_ZONE}?", _clock),
        (rf"(?P<hour>\d{{1,2}})(?:\.(?P<minute>\d{{2}}))?{_HALF}", _clock),
        (r"(?P<hour>\d{1,2})ish", _clock),
        (r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", _date),
        (r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})", _date),
        (r"(?P<day>\d{1,2})/(?P<month>\d{1,2})/(?P<year>\d{4})", _date),
        (r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.", _day_month),
        (rf"(?P<number>\d+(?:\.\d+)?)(?P<unit>{_UNITS})", _length),
        (r"q([1-4])", lambda match: Token(match[0], "quarter", number=float(match[1]))),
    )
)
"""The first that fits the whole chunk. A shape that fits and is no real time, such as 2026-13-45, is left out."""
