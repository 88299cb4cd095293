"""Reads lengths of time that are counted from now: "two days ago", "last 24h", "since two hours"."""

from __future__ import annotations

from datetime import timedelta

from opscrew.answer.times.cursor import ROUGHLY, Cursor
from opscrew.answer.times.piece import LAST, Piece
from opscrew.answer.times.wall_clock import PASSING_HOURS, whole
from opscrew.answer.times.words import time_words

AROUND_DAYS = {"month": 3, "quarter": 10, "year": 15}
"""Before and after "two months ago", which nobody means to the day."""

COMING = ("next", "each", "every", "coming", "upcoming", "following")


def ago(cursor: Cursor, at: int) -> Piece | None:
    """A moment for hours, a day for days and weeks, some days around for longer ones."""
    begin = cursor.past(at, ROUGHLY)
    if weekends := _weekends_ago(cursor, begin):
        return weekends
    amount = cursor.amount(begin, counted=True)
    if amount is None or cursor.word(amount[2]) != "ago":
        return None
    place, unit, end = cursor.place, amount[1], amount[2] + 1
    then = place.back(amount[0], unit)
    day = then.astimezone(place.zone).date()
    if unit in PASSING_HOURS:
        return Piece(end=end, span=(then, then))
    if unit in AROUND_DAYS:
        around = timedelta(days=AROUND_DAYS[unit])
        return Piece(end=end, span=place.days(day - around, day + around))
    week = whole("week", day)[0] if unit in ("week", "fortnight") else None
    return Piece(end=end, day=day, week=week, part="night" if unit == "night" else "")


def _weekends_ago(cursor: Cursor, at: int) -> Piece | None:
    counted = cursor.count(at)
    if not counted or cursor.word(counted[1]) not in ("weekend", "weekends") or cursor.word(counted[1] + 1) != "ago":
        return None
    back = timedelta(days=7 * (min(int(counted[0]), 500) - 1))
    saturday = whole("weekend", cursor.place.today - timedelta(days=2))[0] - back
    return Piece(end=counted[1] + 2, span=cursor.place.days(saturday, saturday + timedelta(days=1)))


def length(cursor: Cursor, at: int) -> Piece | None:
    """ "last 24 hours", "in the past two weeks", "since two hours", "for 3 days". "Last week" is one by the calendar,
    "the past week" is seven days."""
    begin = cursor.past(at, ("the", "these"))
    word = cursor.word(begin)
    if word in LAST:
        amount = cursor.amount(begin + 1)
        if amount is None or cursor.word(amount[2]) in ("of", "before"):
            return None
        is_alone = amount[2] == begin + 2 and cursor.kind(begin + 1) == "word"
        if is_alone and word not in ("past", "recent") and amount[1] not in (*PASSING_HOURS, "day", "fortnight"):
            return None
    elif word in ("since", "for"):
        amount = cursor.amount(begin + 1, counted=True)
    else:
        return None
    if amount is None or cursor.word(amount[2]) == "ago":
        return None
    return Piece(end=amount[2], span=(cursor.place.back(amount[0], amount[1]), cursor.place.now), goes_on=True)


def coming(cursor: Cursor, at: int) -> Piece | None:
    """What lies ahead or comes again and again is no range to look at: read, so that nothing is made of its words."""
    word, following = cursor.word(at), cursor.word(at + 1)
    if word in ("tomorrow", "daily", "weekdays"):
        return Piece(end=at + 1)
    if word in COMING:
        known = cursor.unit(at + 1) or cursor.weekday(at + 1) is not None
        return Piece(end=at + 2) if known or following.removesuffix("s") in time_words().parts else None
    amount = cursor.amount(at + 1, counted=True) if word in ("in", "every", "within") else None
    return Piece(end=amount[2]) if amount and cursor.word(amount[2]) != "ago" else None


def present(cursor: Cursor) -> tuple[str, bool] | None:
    """ "now" and its like (True), "recently" and its like (False)."""
    for words, is_now in ((time_words().now, True), (time_words().lately, False)):
        for at in range(cursor.length):
            spoken = cursor.phrase(at, words)
            if spoken:
                return spoken[0], is_now
    return None
