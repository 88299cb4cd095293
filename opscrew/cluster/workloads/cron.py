"""Cron schedules as Kubernetes reads them: five fields or a macro, in a time zone.

APScheduler has a cron parser, but numbers weekdays from Monday where cron and Kubernetes (robfig/cron) count from
Sunday, and judgement must not depend on a scheduler; the five fields are small enough to read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_FIELDS: tuple[tuple[str, int, int, list[str]], ...] = (
    ("minute", 0, 59, []),
    ("hour", 0, 23, []),
    ("day of month", 1, 31, []),
    ("month", 1, 12, _MONTHS),
    ("day of week", 0, 7, _DAYS),
)
_LONGEST_SEARCH = timedelta(days=366 * 4)
"""29 February comes every four years; a schedule without a run in that time has none."""


class ScheduleError(ValueError):
    """What is wrong with the text of a schedule."""


@dataclass(frozen=True)
class Schedule:
    """The allowed values of each field. ``either_day``: day of month OR of week, when both are restricted."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool
    zone: ZoneInfo

    def runs_between(self, after: datetime, until: datetime, limit: int) -> list[datetime]:
        """The first ``limit`` times after ``after`` and not after ``until``, in UTC."""
        found: list[datetime] = []
        until = min(until, after + _LONGEST_SEARCH)
        moment = after.astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
        while moment <= until and len(found) < limit:
            local = moment.astimezone(self.zone)
            if not (local.month in self.months and self._day_fits(local)):
                # Jump to the next local midnight; a day has 23 to 25 hours, so come back to its first minute.
                tomorrow = (local + timedelta(days=1)).replace(hour=0, minute=0)
                moment = tomorrow.astimezone(UTC)
            elif local.hour not in self.hours:
                moment += timedelta(minutes=60 - local.minute)
            else:
                if local.minute in self.minutes:
                    found.append(moment)
                moment += timedelta(minutes=1)
        return found

    def _day_fits(self, local: datetime) -> bool:
        in_month, in_week = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either_day else in_month and in_week


def parse_schedule(text: str, zone: str = "") -> Schedule:
    """Raises ``ScheduleError`` with a sentence that names the field."""
    text = text.strip()
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, text = text.partition(" ")
        zone = prefix.partition("=")[2]
    fields = _MACROS.get(text.lower(), text).split()
    if len(fields) != 5:
        raise ScheduleError(f"{text!r} has {len(fields)} fields instead of 5")
    values = [_parse_field(field, *bounds) for field, bounds in zip(fields, _FIELDS, strict=True)]
    try:
        where = ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise ScheduleError(f"there is no time zone {zone!r}") from problem
    weekdays = frozenset(day % 7 for day in values[4])
    both = not fields[2].startswith(("*", "?")) and not fields[4].startswith(("*", "?"))
    return Schedule(values[0], values[1], values[2], values[3], weekdays, both, where)


def _parse_field(field: str, name: str, lowest: int, highest: int, names: list[str]) -> frozenset[int]:
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step_text = part.partition("/")
        step = int(step_text) if slash and step_text.isdigit() else (0 if slash else 1)
        if step < 1:
            raise ScheduleError(f"{name}: {part!r} has no valid step")
        first, dash, last = span.partition("-")
        if span in ("*", "?"):
            low, high = lowest, highest
        else:
            low = _value(first, name, lowest, names)
            high = _value(last, name, lowest, names) if dash else (highest if slash else low)
        if not lowest <= low <= high <= highest:
            raise ScheduleError(f"{name}: {part!r} is not within {lowest} to {highest}")
        found.update(range(low, high + 1, step))
    return frozenset(found)


def _value(text: str, name: str, lowest: int, names: list[str]) -> int:
    if text.isdigit():
        return int(text)
    if text.lower() in names:
        return names.index(text.lower()) + lowest
    raise ScheduleError(f"{name}: {text!r} is neither a number nor a name")
