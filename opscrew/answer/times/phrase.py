"""Puts pieces that stand together into one span: "yesterday" + "at" + "2pm", "9 to 11" + "this morning"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.piece import CUES, Piece
from opscrew.answer.times.pieces import pieces_in
from opscrew.answer.times.tokens import Clock
from opscrew.answer.times.wall_clock import Place, Span
from opscrew.answer.times.words import time_words

GLUE = (*CUES, "in", "on", "of", "the", "during", "between", "starting", "somewhere", "sometime")
"""What may stand between two pieces of one time: "yesterday at around 2pm"."""

DIRECTIONS = ("since", "from", "after", "until", "till", "before", "by", "prior")
PASSED_OVER = ("the", "about", "around", "ca", "circa", "starting", "on", "at")
"""Between a direction and its time: "since about 3"."""


@dataclass(frozen=True)
class Phrase:
    """``direction`` is the word before or inside, such as "since", and ``begin`` the place of the first word of all.
    A time of day is a moment: its span has no length."""

    begin: int
    end: int
    pieces: tuple[Piece, ...]
    span: Span
    direction: str = ""
    has_day: bool = False
    parts: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_moment(self) -> bool:
        return self.span[0] == self.span[1]


def phrases_in(cursor: Cursor) -> list[Phrase]:
    """In order. Pieces that are unsure and stand alone are left out."""
    groups: list[list[Piece]] = []
    for piece in pieces_in(cursor):
        if groups and _belongs(groups[-1], piece, cursor):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    kept = [group for group in groups if len(group) > 1 or not group[0].is_unsure]
    return [phrase for group in kept if (phrase := _phrase(group, cursor)) is not None]


def _belongs(group: Sequence[Piece], piece: Piece, cursor: Cursor) -> bool:
    """Whether it stands right behind, apart from glue, and says something that the group does not say yet."""
    between = [cursor.word(at) for at in range(group[-1].end, piece.start)]
    kinds = [one.kind for one in group]
    if not all(word in GLUE for word in between) or ("from" in between and piece.day):
        return False
    if "week" in (*kinds, piece.kind):  # "monday last week", "last week on monday"
        return (piece if piece.kind != "week" else group[-1]).weekday is not None
    if {"clock", "hours"} & set(kinds) and piece.kind in ("clock", "hours"):
        return False
    return piece.kind not in kinds and not {"span", "none"} & {*kinds, piece.kind}


def _phrase(group: Sequence[Piece], cursor: Cursor) -> Phrase | None:
    begin, direction = _direction(group, cursor)
    span = _span(group, cursor.place)
    if span is None:
        return None
    if not direction and group[0].goes_on:
        direction = "since"
    has_day = any(piece.day or piece.span or piece.week for piece in group)
    parts = frozenset(piece.part for piece in group if piece.part)
    return Phrase(begin, group[-1].end, tuple(group), span, direction, has_day, parts)


def _direction(group: Sequence[Piece], cursor: Cursor) -> tuple[int, str]:
    """Where the phrase begins with it, and the word: before the first piece, or before a later one ("yesterday since
    6pm")."""
    behind = 0
    for piece in group:
        at = piece.start - 1
        while at >= behind and cursor.word(at) in PASSED_OVER:
            at -= 1
        word = cursor.word(at)
        if at >= behind and word == "to" and cursor.word(at - 1) in ("up", "prior"):
            return min(at - 1, group[0].start), "before"
        if at >= behind and word in DIRECTIONS:
            return min(at, group[0].start), word
        behind = piece.end
    return group[0].start, ""


def _span(group: Sequence[Piece], place: Place) -> Span | None:
    day = next((piece.day for piece in group if piece.day), None)
    week = next((piece.week for piece in group if piece.week), None)
    weekday = next((piece.weekday for piece in group if piece.weekday is not None), None)
    part = next((piece.part for piece in group if piece.part), "")
    clock = next((piece.clock for piece in group if piece.clock), None)
    hours = next((piece.hours for piece in group if piece.hours), None)
    span = next((piece.span for piece in group if piece.span), None)
    if week is not None and weekday is not None:
        return place.days(week + timedelta(days=weekday))
    if span is not None:
        return span
    if hours is not None:
        return _hours(hours, day, part, place)
    if clock is not None:
        moment = _moment(clock, day, part, place)
        return moment, moment
    if part:
        return _part(day, part, place)
    return place.days(day) if day else None


def _part(day: date | None, part: str, place: Place) -> Span:
    """Without a day the latest one that has begun."""
    begin, finish = time_words().parts[part]
    first = day or place.today
    if day is None and place.at(first, time(begin)) >= place.now:
        first -= timedelta(days=1)
    last = first if begin < finish < 24 else first + timedelta(days=1)
    return place.at(first, time(begin)), place.at(last, time(finish % 24), is_end=True)


def _moment(clock: Clock, day: date | None, part: str, place: Place) -> datetime:
    """Without a day the latest one that is over."""
    place = _in_zone_of(clock, place)
    hour = _fitting(clock, part)
    if part == "night" and day and hour.hour < time_words().parts["night"][1]:
        day += timedelta(days=1)
    found = place.at(day or place.today, hour)
    return found if day or found < place.now else place.at(place.today - timedelta(days=1), hour)


def _hours(hours: tuple[Clock, Clock], day: date | None, part: str, place: Place) -> Span:
    first, second = hours
    begin = _moment(first, day, part, place)
    place = _in_zone_of(first, place)
    local = begin.astimezone(place.zone)
    end = _fitting(second, part)
    if second.is_open and local.hour >= 12 and end < local.time() and not part:  # "between noon and 2"
        end = end.replace(hour=(end.hour + 12) % 24) if not first.is_open else end
    last = local.date() if end > local.time() else local.date() + timedelta(days=1)
    return begin, place.at(last, end, is_end=True)


def _in_zone_of(clock: Clock, place: Place) -> Place:
    return replace(place, zone=ZoneInfo(time_words().zones[clock.zone])) if clock.zone else place


def _fitting(clock: Clock, part: str) -> time:
    """ "At 3" in the afternoon is 15:00, and "at 9" at night 21:00."""
    if not part or not clock.is_open:
        return clock.time
    begin, finish = time_words().parts[part]
    late = clock.time.replace(hour=(clock.time.hour + 12) % 24)

    def is_inside(one: time) -> bool:
        return begin <= one.hour < finish if begin < finish else (one.hour >= begin or one.hour < finish)

    if is_inside(late) and ((begin >= 12 and late.hour >= 12) or not is_inside(clock.time)):
        return late
    return clock.time
