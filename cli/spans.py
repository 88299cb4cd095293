"""Reads the time range of a command: a day, or a begin and an end, in the zone of the settings."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cli.durations import parse_duration
from opscrew.errors import UsageError

if TYPE_CHECKING:
    from opscrew.measures.query import Span

HINT = "Write today, yesterday, 2026-11-02, 2026-11-02T14:30, or 7d for a length of time before now."
DAYS = {"today": 0, "yesterday": -1}


def span_of(day: str, since: str, until: str, now: datetime, zone: ZoneInfo) -> Span:
    """``day`` alone, or ``since`` (else the present day's begin) and ``until`` (else now). Raises ``UsageError``.

    A day that is named as the end is in the range to its own end.
    """
    from opscrew.measures.query import Span

    if day and (since or until):
        raise UsageError("--day and --since or --until exclude each other", "Give one of them.")
    if day:
        begin = _day(day, now, zone)
        if begin is None:
            raise UsageError(f"{day!r} is not a day", "Write today, yesterday or 2026-11-02.")
        return Span(begin, min(_next_day(begin), now) if begin < now else _next_day(begin))
    begin = _moment(since or "today", now, zone)
    named = _day(until, now, zone) if until else None
    end = _next_day(named) if named is not None else _moment(until, now, zone) if until else now
    return Span(begin, end)


def span_before(span: Span, zone: ZoneInfo) -> Span:
    """The same length before it; a span of whole days as many days, also where one of them has 23 or 25 hours."""
    from opscrew.measures.query import Span

    begin, end = span.since.astimezone(zone), span.until.astimezone(zone)
    if begin == _midnight(begin) and end == _midnight(end):
        return Span(begin - (end.date() - begin.date()), begin)  # by the wall clock
    if begin == _midnight(begin) and end - begin <= timedelta(days=1, hours=1):
        return Span(begin - timedelta(days=1), end - timedelta(days=1))  # a day so far: the day before, so far
    return Span(span.since - (span.until - span.since), span.since)


def _moment(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    found = _day(text, now, zone)
    if found is not None:
        return found
    if re.fullmatch(r"\s*\d{1,6}\s*[a-z]\s*", text.lower()):
        return now - parse_duration(text)
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise UsageError(f"{text!r} is not a time", HINT) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _day(text: str, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The begin of a day, None where the text names none."""
    word = text.strip().lower()
    if word in DAYS:
        return _midnight(now.astimezone(zone)) + timedelta(days=DAYS[word])
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", word):
        return None
    try:
        return datetime.fromisoformat(word).replace(tzinfo=zone)
    except ValueError:
        raise UsageError(f"{text!r} is not a day", "The month or the day does not exist.") from None


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _next_day(begin: datetime) -> datetime:
    return begin + timedelta(days=1)  # by the wall clock: 23 or 25 hours where the clocks change
