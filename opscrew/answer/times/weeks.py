"""Reads weeks, months and longer, and what lies in them: "last week of March", "early April", "Q1", "week 14"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from opscrew.answer.times import days
from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.piece import JOINTS, LAST, Piece
from opscrew.answer.times.wall_clock import Place, latest, whole, whole_before
from opscrew.answer.times.words import MONTHS, WEEKDAYS, time_words

UNITS = ("week", "month", "quarter", "year", "weekend")
MONTH_CUES = ("in", "since", "until", "till", "of", "last", "this", "during", "over", "before", "after", "from", "to",
              "and", "for", "through", "by", "all", "between")  # fmt: skip
"""Without one of these before it "may" is a verb, and 2025 a number."""

QUARTERS = {"first": 1, "second": 2, "third": 3, "fourth": 4}


@dataclass(frozen=True)
class _Whole:
    """A whole ``unit`` with its first and last day, and the place behind it."""

    unit: str
    days: tuple[date, date]
    end: int


def calendar(cursor: Cursor, at: int) -> Piece | None:
    """A whole week, month, quarter or year."""
    year, end = cursor.year(at)
    if year and cursor.word(at) not in ("of", "in") and cursor.word(at - 1) in MONTH_CUES:
        return Piece(end=end, span=cursor.place.days(*whole("year", date(year, 1, 1))))
    if week := _week_of_day(cursor, at):
        return week
    found = _whole(cursor, at)
    if found is None or (found.end == at + 1 and cursor.word(at) in MONTHS and not _means_a_month(cursor, at)):
        return None
    week_begin = found.days[0] if found.unit == "week" else None
    return Piece(end=found.end, span=cursor.place.days(*found.days), week=week_begin)


def _means_a_month(cursor: Cursor, at: int) -> bool:
    is_first_of_two = cursor.word(at + 1) in JOINTS and cursor.word(at + 2) in MONTHS
    return is_first_of_two or cursor.word(at - 1) in MONTH_CUES


def weekend(cursor: Cursor, at: int) -> Piece | None:
    """ "over the weekend"."""
    begin = cursor.past(at, ("the",))
    if cursor.word(begin) not in ("weekend", "weekends"):
        return None
    return Piece(end=begin + 1, span=cursor.place.days(*whole("weekend", cursor.place.today)))


def portion(cursor: Cursor, at: int) -> Piece | None:
    """ "early march", "the beginning of last week", "end of 2025", "late yesterday"."""
    spoken = cursor.phrase(cursor.past(at, ("the",)), time_words().portions)
    if spoken is None:
        return None
    low, high = time_words().portions[spoken[0]]
    if day := _day_inside(cursor, spoken[1]):
        begin, finish = cursor.place.days(day[0])
        return Piece(end=day[1], span=(begin + (finish - begin) * low, begin + (finish - begin) * high))
    found = _inside(cursor, spoken[1])
    if found is None:
        return None
    first, last = found.days
    length = (last - first).days + 1
    begin_day = first + timedelta(days=round(length * low))
    end_day = first + timedelta(days=max(1, round(length * high)) - 1)
    return Piece(end=found.end, span=cursor.place.days(begin_day, end_day))


def nth(cursor: Cursor, at: int) -> Piece | None:
    """ "last week of march", "first monday of april", "the second weekend in may"."""
    begin = cursor.past(at, ("the",))
    number, piece = time_words().ordinals.get(cursor.word(begin)), cursor.word(begin + 1)
    if (
        number is None
        or cursor.word(begin + 2) not in ("of", "in")
        or piece not in ("week", "weekend", "day", *WEEKDAYS)
    ):
        return None
    found = _inside(cursor, begin + 2)
    if found is None:
        return None
    first, last = _nth_of(number, piece, *found.days)
    return Piece(end=found.end, span=cursor.place.days(first, last))


def _nth_of(number: int, piece: str, first: date, last: date) -> tuple[date, date]:
    """Weeks are counted in sevens from the first day, or back from the last one."""
    if piece in ("week", "day"):
        length = 7 if piece == "week" else 1
        begin = last - timedelta(days=length - 1) if number < 0 else first + timedelta(days=length * (number - 1))
        return begin, min(last, begin + timedelta(days=length - 1))
    weekday = WEEKDAYS.get(piece, 5)  # a weekend begins on Saturday
    begin = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))
    if number < 0:
        begin = last - timedelta(days=(last.weekday() - weekday) % 7)
    return begin, begin + timedelta(days=int(piece == "weekend"))


def _inside(cursor: Cursor, at: int) -> _Whole | None:
    """What a portion is of. "The month" alone is the present one."""
    begin = cursor.past(cursor.past(at, ("of", "in")), ("the",))
    year, end = cursor.year(begin)
    if year:
        return _Whole("year", whole("year", date(year, 1, 1)), end)
    found = _whole(cursor, begin)
    if found is None and cursor.word(begin) in UNITS:
        found = _Whole(cursor.word(begin), whole(cursor.word(begin), cursor.place.today), begin + 1)
    return found


def _day_inside(cursor: Cursor, at: int) -> tuple[date, int] | None:
    begin = cursor.past(at, ("of",))
    begin = cursor.past(begin, ("day",)) if begin > at else begin
    piece = days.relative_day(cursor, begin) or (days.weekday(cursor, begin) if cursor.word(begin) != "this" else None)
    return (piece.day, piece.end) if piece and piece.day and not piece.part else None


def _whole(cursor: Cursor, at: int) -> _Whole | None:
    """ "this week", "last month", "the week before last", "march 2025", "q1", "week 14"."""
    begin = cursor.past(at, ("the",))
    word, unit = cursor.word(begin), cursor.word(begin + 1).removesuffix("s")
    if word in ("this", *LAST) and unit in UNITS:
        found = whole(unit, cursor.place.today) if word == "this" else _last(unit, cursor.place)
        return _Whole(unit, found, begin + 2)
    before_last = cursor.phrase(begin + 1, ["before last"])
    if word in UNITS and before_last:
        first = _last(word, cursor.place)[0]
        return _Whole(word, whole(word, first - timedelta(days=1)), before_last[1])
    return _month(cursor, begin) or _quarter(cursor, begin) or _numbered_week(cursor, begin)


def _last(unit: str, place: Place) -> tuple[date, date]:
    """On a Sunday "last weekend" is the one a week ago."""
    if unit == "weekend":
        return whole(unit, place.today - timedelta(days=2 if place.today.weekday() >= 5 else 0))
    return whole_before(unit, place.today)


def _month(cursor: Cursor, at: int) -> _Whole | None:
    begin = cursor.past(at, ("last", "this"))
    month = cursor.month(begin) if cursor.word(begin) != "of" else None
    if month is None:
        return None
    year, end = cursor.year(month[1])
    day = latest(month[0], 1, cursor.place, year)
    assert day is not None, "every month has a first day"
    if cursor.word(at) == "last" and whole("month", day)[1] >= cursor.place.today:
        day = day.replace(year=day.year - 1)
    return _Whole("month", whole("month", day), end)


def _quarter(cursor: Cursor, at: int) -> _Whole | None:
    number, behind = QUARTERS.get(cursor.word(at), 0), at + 2
    if cursor.kind(at) == "quarter":
        number, behind = int(cursor.tokens[at].number), at + 1
    elif not number or cursor.word(at + 1) != "quarter":
        return None
    year, end = cursor.year(behind)
    day = latest(number * 3 - 2, 1, cursor.place, year)
    assert day is not None, "every month has a first day"
    return _Whole("quarter", whole("quarter", day), end)


def _numbered_week(cursor: Cursor, at: int) -> _Whole | None:
    if cursor.word(at) not in ("week", "cw", "kw") or cursor.kind(at + 1) != "number":
        return None
    year, end = cursor.year(at + 2)
    try:
        monday = date.fromisocalendar(year or cursor.place.today.year, int(cursor.tokens[at + 1].number), 1)
    except ValueError:
        return None
    if not year and monday > cursor.place.today:
        return None
    return _Whole("week", whole("week", monday), end)


def _week_of_day(cursor: Cursor, at: int) -> Piece | None:
    """ "the week of april 1"."""
    begin = cursor.past(at, ("the",))
    if cursor.phrase(begin, ["week of"]) is None:
        return None
    found = days.month_day(cursor, begin + 2) or days.written_date(cursor, begin + 2)
    return Piece(end=found.end, span=cursor.place.days(*whole("week", found.day))) if found and found.day else None
