"""Finds the span of time that a question means: "since yesterday evening", "last 3 builds", "on Tuesday".

People speak of wall clocks, so days and hours are counted in the configured zone and turned into UTC at the end. A
day with a change of the clock then has 23 or 25 hours, as it should; "the last 3 hours" are always three.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from opscrew.answer.time_words import (
    COUNTS,
    DAY_PARTS,
    MONTHS,
    UNIT_HOURS,
    WEEKDAYS,
    number_of,
)

LATELY = timedelta(hours=24)
"""What "recently" means."""

AROUND = timedelta(minutes=30)
"""Before and after a single moment ("at 14:00", "two hours ago") that still belongs to it."""


@dataclass(frozen=True)
class TimeRange:
    """From ``start`` up to ``end``, both UTC. ``label`` is how it was said. ``builds`` is set for "last 3 builds";
    ``is_now`` for a question about the present."""

    start: datetime
    end: datetime
    label: str
    builds: int = 0
    is_now: bool = False


@dataclass(frozen=True)
class _Place:
    """Where and when the question is asked; every rule needs it."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def at(self, day: date, clock: time = time()) -> datetime:
        """That wall clock time as UTC. A time that the clock skips becomes the one an hour later."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


DAY = (
    r"(?P<day>the day before yesterday|day before yesterday|yesterday|today|tonight|"
    r"\d{4}-\d{2}-\d{2}|\d{1,2}(?:st|nd|rd|th)? (?:of )?(?:" + "|".join(MONTHS) + r")\w*|"
    r"(?:" + "|".join(MONTHS) + r")[a-z]* \d{1,2}(?:st|nd|rd|th)?|"
    r"(?:last |this |on )?(?:" + "|".join(WEEKDAYS) + r"))"
)
PART = r"(?P<part>" + "|".join(DAY_PARTS) + r")"
CLOCK = (
    r"(?:(?P<hour>\d{1,2})(?:(?::|\.|h)(?P<minute>\d{2}))?\s?(?P<half>am|pm|a\.m\.|p\.m\.)?|"
    r"(?P<word>noon|midnight|midday))"
)
_NUMBER = r"(?P<count>\d+|" + "|".join(COUNTS) + r")"
_AMOUNT = rf"(?:{_NUMBER} )?(?P<unit>minute|min|hour|hr|day|night|week|fortnight|month|quarter)s?\b"


def find_range(question: str, now: datetime, zone: tzinfo) -> TimeRange | None:
    """The first rule that fits decides; None where the question names no time."""
    text = " ".join(question.lower().replace("’", "'").split())
    place = _Place(now.astimezone(UTC), zone)
    for rule in _RULES:
        found = rule(text, place)
        if found is not None:
            return found
    return None


def earlier(previous: TimeRange, unit: str, now: datetime, zone: tzinfo) -> TimeRange:
    """The same span one day (hour, week, month) before, for "and the day before?"."""
    days = {"day": 1, "night": 1, "week": 7, "fortnight": 14, "month": 30}.get(unit, 0)
    label = f"the {unit} before"
    if not days:
        step = timedelta(hours=UNIT_HOURS.get(unit, 1))
        return TimeRange(previous.start - step, previous.end - step, label)
    length = previous.end - previous.start
    start = previous.start.astimezone(zone) - timedelta(days=days)  # wall clock arithmetic
    if length > timedelta(days=days) or previous.is_now:
        return TimeRange(start.astimezone(UTC), previous.start, label)
    end = previous.end.astimezone(zone) - timedelta(days=days)
    place = _Place(now, zone)
    if unit == "day" and previous.end == place.now and start.time() == time():
        return TimeRange(
            start.astimezone(UTC), previous.start, label
        )  # of a day that is not over, the whole day before
    return TimeRange(start.astimezone(UTC), end.astimezone(UTC), label)


def _builds(text: str, place: _Place) -> TimeRange | None:
    match = re.search(
        rf"\b(?:last|latest|past|newest|previous|recent) {_NUMBER} (?:\w+ )?(?:builds?|pipelines?|runs?)\b", text
    )
    if not match:
        return None
    count = number_of(match["count"])
    return TimeRange(place.now - timedelta(days=90), place.now, match[0], builds=count) if count else None


def _between(text: str, place: _Place) -> TimeRange | None:
    first, last = CLOCK, re.sub(r"\?P<(\w+)>", r"?P<\1_2>", CLOCK)
    match = re.search(
        rf"\b(?:between|from) {first} (?:and|to|until|till|-) {last}(?!\d| (?:builds|pods|replicas))", text
    )
    if not match:
        return None
    start, end = (
        _clock(match.groupdict()),
        _clock({key[:-2]: value for key, value in match.groupdict().items() if key.endswith("_2")}),
    )
    if start is None or end is None:
        return None
    named = re.search(rf"\b{DAY}\b", text[: match.start()] + " " + text[match.end() :])
    day = (_day(named["day"], place) if named else None) or place.today
    begin = place.at(day, start)
    if not named and begin >= place.now:
        day -= timedelta(days=1)
        begin = place.at(day, start)
    finish = place.at(day if end > start else day + timedelta(days=1), end)
    return TimeRange(begin, finish, match[0])


def _between_days(text: str, place: _Place) -> TimeRange | None:
    second = re.sub(r"\?P<(\w+)>", r"?P<\1_2>", DAY)
    match = re.search(rf"\b(?:between|from) {DAY} (?:and|to|until|till) {second}\b", text)
    days = (_day(match["day"], place), _day(match["day_2"], place)) if match else (None, None)
    if match is None or days[0] is None or days[1] is None:
        return None
    return TimeRange(place.at(days[0]), min(place.now, place.at(days[1] + timedelta(days=1))), match[0])


def _amount(text: str, place: _Place) -> TimeRange | None:
    """ "in the last 3 hours", "for two days", "since 20 minutes ago", "an hour ago"."""
    ago = re.search(rf"(?P<since>\bsince )?(?:about |around |some )?\b{_AMOUNT} ago\b", text)
    if ago:
        then = _back(ago, place)
        if ago["since"]:
            return TimeRange(then, place.now, ago[0])
        if ago["unit"] in ("minute", "min", "hour", "hr"):
            return TimeRange(then - AROUND, min(place.now, then + AROUND), ago[0])
        day = then.astimezone(place.zone).date()
        return TimeRange(place.at(day), place.at(day + timedelta(days=1)), ago[0])
    match = re.search(rf"\b(?:in|over|within|during|for)?\s?(?:the )?(?:last|past|previous|recent) {_AMOUNT}", text)
    if match is None or (match["count"] is None and match["unit"] in ("day", "night", "week", "month", "quarter")):
        return None
    return TimeRange(_back(match, place), place.now, match[0].strip())


def _back(match: re.Match[str], place: _Place) -> datetime:
    count = number_of(match["count"]) if match["count"] else 1
    unit = match["unit"]
    if unit in ("day", "night", "week", "fortnight", "month", "quarter"):
        local = place.now.astimezone(place.zone) - timedelta(hours=UNIT_HOURS[unit] * count)
        return local.astimezone(UTC)
    return place.now - timedelta(hours=UNIT_HOURS[unit] * count)


def _calendar(text: str, place: _Place) -> TimeRange | None:
    """Weeks, months, weekends and nights by the calendar."""
    monday = place.today - timedelta(days=place.today.weekday())
    first = place.today.replace(day=1)
    spans = (
        (
            r"last night|overnight|during the night|over night|in the night",
            place.today - timedelta(days=1),
            time(18),
            place.today,
            time(8),
        ),
        (
            r"(?:last|past|previous|over the|on the|at the|during the|this) ?weekend",
            monday - timedelta(days=2),
            time(),
            monday,
            time(),
        ),
        (r"(?:last|previous) week", monday - timedelta(days=7), time(), monday, time()),
        (r"this week", monday, time(), None, time()),
        (r"(?:last|previous) month", (first - timedelta(days=1)).replace(day=1), time(), first, time()),
        (r"this month", first, time(), None, time()),
        (
            r"(?:last|past|previous) day\b",
            place.today - timedelta(days=1),
            place.now.astimezone(place.zone).time(),
            None,
            time(),
        ),
    )
    for words, day, clock, last, last_clock in spans:
        match = re.search(rf"\b(?:{words})\b", text)
        if match:
            end = place.at(last, last_clock) if last else place.now
            return TimeRange(place.at(day, clock), min(end, place.now), match[0])
    return None


def _day_or_part(text: str, place: _Place) -> TimeRange | None:
    """ "since yesterday evening", "on Tuesday at 14:00", "this morning", "since 9", "before noon"."""
    named = re.search(
        rf"\b(?P<how>since |from |after |until |before |by )?{DAY}(?:'s)?(?: (?:in the |at )?{PART})?"
        rf"(?: (?:at|around|about|since|after|from) {CLOCK})?\b",
        text,
    )
    if named:
        day = _day(named["day"], place)
        if day is not None:
            clock = _clock(named.groupdict()) if named["hour"] or named["word"] else None
            part = named["part"] or ("evening" if named["day"] == "tonight" else None)
            how = (named["how"] or "") + (
                "since " if re.search(r"\b(?:since|after|from) \S+$", named[0]) and clock else ""
            )
            return _span(how, day, part, clock, named[0], place)
    part_only = re.search(rf"\b(?P<how>since |until |before |after )?(?:this |the |in the |during the ){PART}\b", text)
    if part_only:
        return _span(part_only["how"] or "", place.today, part_only["part"], None, part_only[0], place)
    clock_only = re.search(
        rf"\b(?P<how>since|after|from|at|around|before|until|about) {CLOCK}"
        r"(?![\w%#-]|\s?(?:builds|pods|replicas|times|failures|percent))",
        text,
    )
    if clock_only and (
        clock_only["minute"]
        or clock_only["half"]
        or clock_only["word"]
        or clock_only["how"] in ("since", "at", "after")
    ):
        clock = _clock(clock_only.groupdict())
        if clock is not None:
            day = place.today if place.at(place.today, clock) <= place.now else place.today - timedelta(days=1)
            return _span(clock_only["how"] + " ", day, None, clock, clock_only[0], place)
    return None


def _span(how: str, day: date, part: str | None, clock: time | None, label: str, place: _Place) -> TimeRange:
    start, end = place.at(day), place.at(day + timedelta(days=1))
    if part:
        begin, finish = DAY_PARTS[part]
        start = place.at(day, time(begin))
        end = place.at(day if finish > begin else day + timedelta(days=1), time(finish % 24)) if finish != 24 else end
    if clock is not None:
        moment = place.at(day, clock)
        start, end = (moment, place.now) if how.strip() else (moment - AROUND, moment + AROUND)
        if how.strip() in ("at", "around", "about"):
            start, end = moment - AROUND, moment + AROUND
        if how.strip() in ("until", "before", "by"):
            return TimeRange(place.at(day), moment, label)
    if how.strip().startswith(("since", "from", "after")):
        return TimeRange(end if how.startswith("after") and clock is None else start, place.now, label)
    if how.strip() in ("until", "before", "by"):
        return TimeRange(start - timedelta(days=7), start, label)
    return TimeRange(start, min(end, place.now) if start < place.now else end, label)


def _present(text: str, place: _Place) -> TimeRange | None:
    if re.search(r"\b(?:right now|now|currently|at the moment|at present|just now|still)\b", text):
        return TimeRange(place.now, place.now, "now", is_now=True)
    match = re.search(r"\b(?:recently|lately|of late|in recent hours)\b", text)
    return TimeRange(place.now - LATELY, place.now, match[0]) if match else None


def _day(words: str, place: _Place) -> date | None:
    words = words.removeprefix("on ").strip()
    relative = {"today": 0, "tonight": 0, "yesterday": 1, "day before yesterday": 2, "the day before yesterday": 2}
    if words in relative:
        return place.today - timedelta(days=relative[words])
    weekday = words.removeprefix("last ").removeprefix("this ")
    if weekday in WEEKDAYS:
        back = (place.today.weekday() - WEEKDAYS[weekday]) % 7
        return place.today - timedelta(days=back or (7 if words.startswith("last") else 0))
    try:
        return date.fromisoformat(words)
    except ValueError:
        return _month_day(words, place)


def _month_day(words: str, place: _Place) -> date | None:
    month = next((number for name, number in MONTHS.items() if re.search(rf"\b{name}", words)), None)
    number = re.search(r"\d{1,2}", words)
    if month is None or number is None:
        return None
    try:
        day = date(place.today.year, month, int(number[0]))
        return day if day <= place.today else day.replace(year=day.year - 1)
    except ValueError:
        return None


def _clock(parts: dict[str, str | None]) -> time | None:
    if parts.get("word"):
        return time(0) if parts["word"] == "midnight" else time(12)
    hour, minute = int(parts["hour"] or 0), int(parts["minute"] or 0)
    half = (parts["half"] or "").replace(".", "")
    if half and hour <= 12:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


_RULES = (_builds, _between, _between_days, _amount, _calendar, _day_or_part, _present)
"""The most particular wording first."""
