"""Cuts times into hours, days and weeks of a zone, by arithmetic that both databases do alike.

A zone is a whole number of seconds away from UTC between two of its changes. Those within the span are looked up here,
and the database adds the right one to each time: a day is 23 or 25 hours long where the clocks change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, ColumnElement, case, literal

DAY, HOUR = 86_400, 3_600
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
FIRST_WEEKDAY = 3
"""1 January 1970 was a Thursday; weeks begin on Monday (ISO 8601)."""


def offsets(since: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[int, int]]:
    """(Unix time from which it holds, seconds ahead of UTC), the first at ``since``."""
    start, end = int(since.timestamp()), int(until.timestamp())
    found = [(start, _offset(start, zone))]
    moment = start
    while moment < end:
        following = min(moment + DAY, end)
        if _offset(following, zone) != found[-1][1]:
            found.append((_change_between(moment, following, zone), _offset(following, zone)))
        moment = following
    return found


def grouped_by(name: str, at: ColumnElement[int], changes: list[tuple[int, int]]) -> ColumnElement[int]:
    """The number by which rows of one hour, day, … are grouped; ``label_of`` tells what it is."""
    ahead = _ahead(at, changes)
    local = at + ahead
    day = local // DAY
    whole: dict[str, ColumnElement[int]] = {
        "day": day,
        "week": (day + FIRST_WEEKDAY) // 7,
        "weekday": (day + FIRST_WEEKDAY) % 7,
        "hour": (local // HOUR) * HOUR - ahead,
        "hour_of_day": (local % DAY) // HOUR,
    }
    return whole[name]


def label_of(name: str, number: int, zone: ZoneInfo) -> str:
    """2026-11-02 for a day, the Monday's date for a week, 2026-10-25T02:00+01:00 for an hour, Mon, 07."""
    labels: dict[str, Callable[[int], Any]] = {
        "day": lambda days: date(1970, 1, 1) + timedelta(days=days),
        "week": lambda weeks: date(1970, 1, 1) + timedelta(days=7 * weeks - FIRST_WEEKDAY),
        "weekday": lambda place: WEEKDAYS[place],
        "hour": lambda seconds: datetime.fromtimestamp(seconds, zone).isoformat(timespec="minutes"),
        "hour_of_day": lambda hour: f"{hour:02d}",
    }
    return str(labels[name](int(number)))


def _ahead(at: ColumnElement[int], changes: list[tuple[int, int]]) -> ColumnElement[int]:
    if len(changes) == 1:
        return literal(changes[0][1], BigInteger)
    later = [(at >= moment, literal(seconds, BigInteger)) for moment, seconds in reversed(changes[1:])]
    return case(*later, else_=literal(changes[0][1], BigInteger))


def _offset(moment: int, zone: ZoneInfo) -> int:
    ahead = datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
    assert ahead is not None
    return int(ahead.total_seconds())


def _change_between(low: int, high: int, zone: ZoneInfo) -> int:
    """The first second of the new offset."""
    old = _offset(low, zone)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(middle, zone) == old else (low, middle)
    return high
