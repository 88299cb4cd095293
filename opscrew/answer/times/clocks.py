"""Reads parts of a day and times of day: "in the morning", "at 3", "2pm", "between 9 and 11"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from opscrew.answer.times.cursor import Cursor
from opscrew.answer.times.piece import CUES, JOINTS, Piece
from opscrew.answer.times.tokens import Clock, half_day
from opscrew.answer.times.words import MONTHS, time_words

SURE_CUES = ("since", "at", "@", "after")
"""Before a bare hour. The others are said of builds as well: "about 3", "before 42"."""

HALVES = ("am", "pm", "a.m", "p.m")
HOUR_WORDS = ("o'clock", "oclock", "uhr", "ish", "sharp")
LAST_NIGHT = ("last night", "overnight", "over night", "during the night", "in the night", "at night")
NAMED_AFTER_IT = (
    "build",
    "builds",
    "run",
    "runs",
    "job",
    "jobs",
    "pipeline",
    "pipelines",
    "shift",
    "deploy",
    "release",
)
""" "The night build" is a build, no night."""

NO_PLURALS = ("this", "always", "across", "besides", "sometimes", "perhaps")


def last_night(cursor: Cursor, at: int) -> Piece | None:
    """The night that is over or still going on."""
    spoken = cursor.phrase(at, LAST_NIGHT)
    if spoken is None:
        return None
    return Piece(end=spoken[1], day=cursor.place.today - timedelta(days=1), part="night")


def part_of_day(cursor: Cursor, at: int) -> Piece | None:
    """A bare "morning" needs a day beside it."""
    begin = cursor.past(at, ("this", "the", "last"))
    spoken = cursor.phrase(begin, time_words().parts)
    if spoken is None or cursor.word(spoken[1]) in NAMED_AFTER_IT:
        return None
    day = None
    if cursor.word(at) in ("last", "this"):
        day = cursor.place.today - timedelta(days=int(cursor.word(at) == "last"))
    is_alone = begin == at and cursor.word(at - 1) not in (*CUES, "in", "during", "over")
    return Piece(end=spoken[1], day=day, part=spoken[0], is_unsure=is_alone)


@dataclass(frozen=True)
class _Read:
    """``is_sure`` where it cannot be anything but a time of day."""

    clock: Clock
    end: int
    is_sure: bool


def hours(cursor: Cursor, at: int) -> Piece | None:
    """ "between 9 and 11", "from 22:00 to 2:00"; "9-11" only beside a day."""
    cue = cursor.word(at) if cursor.word(at) in ("between", "from") else ""
    first = _read(cursor, at + 1 if cue else at)
    joint = cursor.word(first.end) if first else ""
    second = _read(cursor, first.end + 1) if first and joint in JOINTS else None
    if first is None or second is None or (joint == "and" and cue != "between"):
        return None
    if not (second.is_sure or _counts_nothing(cursor, second.end)):
        return None
    zone = first.clock.zone or second.clock.zone
    begin = replace(_same_half(first, second), zone=zone)
    is_unsure = not (cue or first.is_sure or second.is_sure)
    return Piece(end=second.end, hours=(begin, replace(second.clock, zone=zone)), is_unsure=is_unsure)


def time_of_day(cursor: Cursor, at: int) -> Piece | None:
    """A bare number is an hour behind "at" and its like, and beside a day."""
    found = _read(cursor, at)
    if found is None:
        return None
    if found.is_sure:
        return Piece(end=found.end, clock=found.clock)
    if not _counts_nothing(cursor, found.end):
        return None
    return Piece(end=found.end, clock=found.clock, is_unsure=not _is_asked_for(cursor, at, found))


def _is_asked_for(cursor: Cursor, at: int, found: _Read) -> bool:
    cue, before = cursor.word(at - 1), cursor.word(at - 2)
    if cue in ("around", "about", "ca", "circa") and before in ("since", "at", "from", "after", "until"):
        cue = before
    if cue in SURE_CUES:
        return True
    is_of_a_thing = cue in ("about", "from") and before in ("what", "how", "me", "and")
    return cue in CUES and not cursor.word(found.end) and not is_of_a_thing


def _read(cursor: Cursor, at: int) -> _Read | None:
    if not 0 <= at < cursor.length:
        return None
    token = cursor.tokens[at]
    clock, is_sure, end = token.clock, True, at + 1
    if token.text in time_words().clocks:
        named = half_day(time_words().clocks[token.text], 0, "")
        clock = Clock(named) if named else None
    elif token.kind == "number":
        clock, is_sure = _bare(token.text), False
    if clock is None:
        return None
    if cursor.word(end) in HALVES:
        half = half_day(clock.time.hour, clock.time.minute, cursor.word(end))
        clock, end, is_sure = replace(clock, time=half or clock.time, is_open=False), end + 1, True
    if cursor.word(end) in HOUR_WORDS:
        end, is_sure = end + 1, True
    if is_sure and cursor.word(end) in time_words().zones:
        clock, end = replace(clock, zone=cursor.word(end)), end + 1
    return _Read(clock, end, is_sure)


def _bare(text: str) -> Clock | None:
    """ "9" and "10.30"."""
    hour, _, minute = text.partition(".")
    if len(hour) > 2 or len(minute) not in (0, 2):
        return None
    found = half_day(int(hour), int(minute or 0), "")
    return Clock(found, is_open=0 < int(hour) <= 12 and not hour.startswith("0")) if found else None


def _same_half(first: _Read, second: _Read) -> Clock:
    """Of "9 to 11 pm" both are in the evening."""
    clock, other = first.clock, second.clock
    if not clock.is_open or other.is_open or first.is_sure or not second.is_sure:
        return clock
    half = half_day(clock.time.hour, clock.time.minute, "pm" if other.time.hour >= 12 else "am")
    return replace(clock, time=half, is_open=False) if half and half <= other.time else clock


def _counts_nothing(cursor: Cursor, at: int) -> bool:
    """Whether the bare number before may be an hour: no noun follows that it counts."""
    word = cursor.word(at)
    is_plural = word.endswith("s") and len(word) > 3 and word not in NO_PLURALS and cursor.weekday(at) is None
    return not (is_plural or cursor.unit(at) or word in MONTHS or word in ("percent", "%", "of", "per"))
