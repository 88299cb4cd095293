"""Reads days: "yesterday", "last Tuesday", "1.4.2026", "the 3rd of April", "from 1 to 3 April"."""

from __future__ import annotations

from datetime import timedelta

from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.piece import CUES, JOINTS, Piece
from opscrew.answer.times.wall_clock import latest
from opscrew.answer.times.words import MONTHS, time_words

BEFORE_A_DAY = (*CUES, *JOINTS, "on", "between")
PLAIN_WORDS = ("sat", "sun", "wed", "mon")
"""Short names of days that are also said of other things."""


def relative_day(cursor: Cursor, at: int) -> Piece | None:
    feast = cursor.phrase(at, time_words().feasts)
    if feast is not None:
        return Piece(end=feast[1], day=latest(*time_words().feasts[feast[0]], cursor.place))
    spoken = cursor.phrase(at, time_words().days)
    if spoken is None:
        return None
    day = cursor.place.today - timedelta(days=time_words().days[spoken[0]])
    return Piece(end=spoken[1], day=day, part="evening" if spoken[0] == "tonight" else "")


def weekday(cursor: Cursor, at: int) -> Piece | None:
    """Today's own name is today, and a week ago with "last"."""
    begin = cursor.past(at, ("last", "past", "previous", "this"))
    number = cursor.weekday(begin)
    if number is None or (begin == at and cursor.word(at) in PLAIN_WORDS and not _means_a_day(cursor, at)):
        return None
    back = (cursor.place.today.weekday() - number) % 7
    is_last = begin > at and cursor.word(at) != "this"
    day = cursor.place.today - timedelta(days=back or (7 if is_last else 0))
    return Piece(end=begin + 1, day=day, weekday=number)


def _means_a_day(cursor: Cursor, at: int) -> bool:
    following = cursor.word(at + 1)
    is_timed = following in (*JOINTS, *time_words().parts, "") or cursor.kind(at + 1) == "clock"
    return cursor.word(at - 1) in BEFORE_A_DAY or is_timed


def days_of_month(cursor: Cursor, at: int) -> Piece | None:
    """ "from 1 to 3 april", "march 28-30", "between march 28 and 30"."""
    begin = cursor.past(at, ("from", "between"))
    month_first = cursor.month(begin)
    first = cursor.day_number(month_first[1] if month_first else begin)
    if first is None or cursor.word(first[1]) not in JOINTS:
        return None
    second = cursor.day_number(first[1] + 1)
    month = month_first or (cursor.month(second[1]) if second else None)
    if second is None or month is None or (month_first and cursor.month(second[1])):
        return None
    year, end = cursor.year(second[1] if month_first else month[1])
    last = latest(month[0], second[0], cursor.place, year)
    if last is None or first[0] > second[0]:
        return Piece(end=end)
    return Piece(end=end, span=cursor.place.days(last.replace(day=first[0]), last))


def month_day(cursor: Cursor, at: int) -> Piece | None:
    """ "3 april", "the 3rd of april 2025", "april 3rd"."""
    number = cursor.day_number(at)
    month = cursor.month(number[1]) if number else None
    if month is not None:
        end = month[1]
    else:
        month = cursor.month(at) if cursor.word(at) in MONTHS else None
        number = cursor.day_number(month[1]) if month else None
        end = number[1] if number else at
    if number is None or month is None:
        return None
    year, end = cursor.year(end)
    return Piece(end=end, day=latest(month[0], number[0], cursor.place, year))


def written_date(cursor: Cursor, at: int) -> Piece | None:
    """ "2026-04-01", "1.4.2026"; "1.4." only behind a word such as "since", since it may also be a version."""
    if cursor.kind(at) == "date":
        return Piece(end=at + 1, day=cursor.tokens[at].date)
    if cursor.kind(at) == "day_month" and cursor.word(at - 1) in BEFORE_A_DAY:
        day, month = cursor.tokens[at].day_month
        return Piece(end=at + 1, day=latest(month, day, cursor.place))
    return None


def day_of_month(cursor: Cursor, at: int) -> Piece | None:
    """ "since the 3rd": the latest such day. "On the 3rd build" is none."""
    if cursor.word(at) != "the" or cursor.kind(at + 1) != "ordinal" or cursor.word(at - 1) not in BEFORE_A_DAY:
        return None
    if cursor.word(at + 2) not in ("", "at", "in", *JOINTS):
        return None
    month = cursor.place.today
    for _ in range(3):  # of three months in a row one has 31 days
        found = latest(month.month, int(cursor.tokens[at + 1].number), cursor.place, month.year)
        if found is not None and found <= cursor.place.today:
            return Piece(end=at + 2, day=found)
        month = month.replace(day=1) - timedelta(days=1)
    return None
