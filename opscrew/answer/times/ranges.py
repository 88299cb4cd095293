"""Finds the span of time that a question means: "since yesterday evening", "last 3 builds", "last week of March".

People speak of wall clocks, so days and hours are counted in the configured zone and turned into UTC at the end. A
day with a change of the clock then has 23 or 25 hours, as it should; "the last 3 hours" are always three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, tzinfo

from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.lengths import present
from opscrew.answer.times.phrase import Phrase, phrases_in
from opscrew.answer.times.piece import JOINTS, LAST
from opscrew.answer.times.tokens import tokens_of
from opscrew.answer.times.wall_clock import UNIT_HOURS, UNIT_MONTHS, Place, Span, months_back

LATELY = timedelta(hours=24)
"""What "recently" means."""

AROUND = timedelta(minutes=30)
"""Before and after a single moment ("at 14:00", "two hours ago") that still belongs to it."""

BUILDS_REACH = timedelta(days=90)
"""How far back "the last 3 builds" may lie."""

OPEN_DAYS = 7
"""How far "until Monday" reaches back."""

BUILDS = ("build", "builds", "pipeline", "pipelines", "run", "runs")
UNIT_DAYS = {"day": 1, "night": 1, "weekend": 7, "week": 7, "fortnight": 14}
LEAST_MONTH = timedelta(days=28)


@dataclass(frozen=True)
class TimeRange:
    """From ``start`` up to ``end``, both UTC. ``label`` is how it was said. ``builds`` is set for "last 3 builds";
    ``is_now`` for a question about the present."""

    start: datetime
    end: datetime
    label: str
    builds: int = 0
    is_now: bool = False


def find_range(question: str, now: datetime, zone: tzinfo) -> TimeRange | None:
    """None where the question names no time, or only one that is still to come."""
    place = Place(now.astimezone(UTC), zone)
    cursor = Cursor(tokens_of(question), place)
    if builds := _builds(cursor):
        return builds
    phrases = phrases_in(cursor)
    if phrases:
        return _range(phrases, cursor)
    spoken = present(cursor)
    if spoken is None:
        return None
    words, is_now = spoken
    return TimeRange(place.now if is_now else place.now - LATELY, place.now, words, is_now=is_now)


def earlier(previous: TimeRange, unit: str, now: datetime, zone: tzinfo) -> TimeRange:
    """The same span one day (hour, week, month) before, for "and the day before?"."""
    place = Place(now.astimezone(UTC), zone)
    label = f"the {unit} before"
    if unit not in (*UNIT_DAYS, *UNIT_MONTHS):
        step = timedelta(hours=UNIT_HOURS.get(unit, 1))
        return TimeRange(previous.start - step, previous.end - step, label)

    def back(moment: datetime) -> datetime:
        local = moment.astimezone(zone)
        months = UNIT_MONTHS.get(unit, 0)
        day = months_back(local.date(), months) if months else local.date() - timedelta(days=UNIT_DAYS[unit])
        return place.at(day, local.time())

    step = timedelta(days=UNIT_DAYS[unit]) if unit in UNIT_DAYS else LEAST_MONTH
    is_open = unit == "day" and previous.end == place.now and previous.start.astimezone(zone).time() == time()
    is_longer = previous.end - previous.start > step and unit in UNIT_DAYS
    if previous.is_now or is_longer or is_open:  # of a day that is not over, the whole day before
        return TimeRange(back(previous.start), previous.start, label)
    return TimeRange(back(previous.start), back(previous.end), label)


def _builds(cursor: Cursor) -> TimeRange | None:
    """ "last 3 builds", "the newest two failed runs", "last dozen pipelines"."""
    for at in range(cursor.length):
        counted = cursor.count(at + 1) if cursor.word(at) in (*LAST, "latest", "newest") else None
        place = next((counted[1] + more for more in (0, 1) if counted and cursor.word(counted[1] + more) in BUILDS), 0)
        if counted and place and counted[0] >= 1:
            now = cursor.place.now
            return TimeRange(now - BUILDS_REACH, now, _words(cursor, at, place + 1), builds=int(counted[0]))
    return None


def _range(phrases: Sequence[Phrase], cursor: Cursor) -> TimeRange:
    """Of several times the first, or two that a word such as "to" joins."""
    first, now = phrases[0], cursor.place.now
    pair = _pair(first, phrases[1], cursor) if len(phrases) > 1 else None
    if pair is None and cursor.word(first.end) in (*JOINTS, "up") and "now" in (
        cursor.word(first.end + 1), cursor.word(first.end + 2)
    ):  # fmt: skip
        first = replace(first, direction="since")
    start, end = pair or _reach(first, cursor.place)
    last = phrases[1] if pair else first
    return TimeRange(start, min(end, now) if start < now else end, _words(cursor, first.begin, last.end))


def _pair(first: Phrase, second: Phrase, cursor: Cursor) -> Span | None:
    """ "from A to B", "between A and B", "A and B". What only one of them says holds of both: "from 22:00 to 23:00
    yesterday"."""
    joint = _joint(first, second, cursor)
    is_between = cursor.word(first.pieces[0].start - 1) == "between"
    if not joint or (joint == "and" and not is_between and (first.is_moment or second.is_moment)):
        return None
    if joint == "and" and not is_between:
        return min(first.span[0], second.span[0]), max(first.span[1], second.span[1])
    start, end, place = first.span[0], second.span[1], cursor.place
    if second.has_day and not first.has_day and first.is_moment:
        start = _on_day_of(second.span[0], start, place)
    elif first.has_day and not second.has_day:
        end = _on_day_of(start, end, place)
        end = end if end > start else end + timedelta(days=1)
    if end < start:  # "friday to monday"
        start -= timedelta(days=7 if first.pieces[0].weekday is not None else 1)
    return (start, end) if start <= end else None


def _joint(first: Phrase, second: Phrase, cursor: Cursor) -> str:
    """The word that joins them, "" where other words stand between."""
    small = ("the", "on", "at", "about", "around", "from", "up")
    between = [word for at in range(first.end, second.pieces[0].start) if (word := cursor.word(at)) not in small]
    return between[0] if len(between) == 1 and between[0] in JOINTS else ""


def _on_day_of(day: datetime, clock: datetime, place: Place) -> datetime:
    return place.at(day.astimezone(place.zone).date(), clock.astimezone(place.zone).time())


def _reach(one: Phrase, place: Place) -> Span:
    """What the direction makes of a span."""
    start, end = one.span
    is_of_day = one.is_moment or one.parts
    if one.direction in ("since", "from"):
        return start, max(start, place.now)
    if one.direction == "after":
        is_inner = one.is_moment and one.pieces[0].day is not None and len(one.pieces) > 1  # "yesterday after 6"
        return (start, place.days(start.astimezone(place.zone).date())[1]) if is_inner else _rest(one.span, place)
    if one.direction in ("until", "till", "before", "by", "prior"):
        # Midnight ends the day before.
        day = (start - timedelta(seconds=1)).astimezone(place.zone).date()
        return place.at(day if is_of_day else day - timedelta(days=OPEN_DAYS - 1)), start
    return (start - AROUND, end + AROUND) if one.is_moment else (start, end)


def _rest(span: Span, place: Place) -> Span:
    """After a time, or since its begin while it is not over."""
    begin = span[1] if span[1] < place.now else span[0]
    return begin, max(begin, place.now)


def _words(cursor: Cursor, begin: int, end: int) -> str:
    return " ".join(cursor.word(at) for at in range(begin, end))
