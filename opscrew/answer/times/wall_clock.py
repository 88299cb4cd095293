"""Days, weeks, months and shares of them on the configured wall clock, turned into UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

Span = tuple[datetime, datetime]

PASSING_HOURS = {"second": 1 / 3600, "minute": 1 / 60, "hour": 1.0}
UNIT_HOURS = {**PASSING_HOURS, "day": 24.0, "night": 24.0, "week": 168.0, "fortnight": 336.0}
UNIT_MONTHS = {"month": 1, "quarter": 3, "year": 12}

MOST_YEARS_BACK = 100
"""Nothing that is asked about is older; arithmetic on dates ends at the year 1."""


@dataclass(frozen=True)
class Place:
    """Where and when a question is asked."""

    now: datetime
    zone: tzinfo

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def at(self, day: date, clock: time = time(), *, is_end: bool = False) -> datetime:
        """That wall clock time as UTC. A time that the clock skips becomes the one an hour later; of one that comes
        twice, a start is the first and an end the second."""
        return datetime.combine(day, clock, self.zone).replace(fold=int(is_end)).astimezone(UTC)

    def days(self, first: date, last: date | None = None) -> Span:
        """Whole days, both included."""
        return self.at(first), self.at((last or first) + timedelta(days=1))

    def back(self, count: float, unit: str) -> datetime:
        """So long before now: hours as they pass, days and longer on the wall clock."""
        local = self.now.astimezone(self.zone)
        if unit in UNIT_MONTHS:
            months = min(round(count * UNIT_MONTHS[unit]), MOST_YEARS_BACK * 12)
            return self.at(months_back(local.date(), months), local.time())
        hours = min(UNIT_HOURS[unit] * count, MOST_YEARS_BACK * 365 * 24.0)
        if unit in PASSING_HOURS:
            return self.now - timedelta(hours=hours)
        return (local - timedelta(hours=hours)).astimezone(UTC)


def months_back(day: date, months: int) -> date:
    """The same day of an earlier month, or the last one of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, month_end(date(year, month + 1, 1)).day))


def month_end(day: date) -> date:
    """The last day of its month."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1) - timedelta(days=1)


def whole(unit: str, day: date) -> tuple[date, date]:
    """First and last day of the week, month, quarter or year that holds ``day``."""
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        return first, first + timedelta(days=6)
    if unit == "weekend":  # the last one, or the one that this day belongs to
        saturday = day - timedelta(days=(day.weekday() - 5) % 7)
        return saturday, saturday + timedelta(days=1)
    if unit == "month":
        return day.replace(day=1), month_end(day)
    if unit == "quarter":
        first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        return first, month_end(first.replace(month=first.month + 2))
    return date(day.year, 1, 1), date(day.year, 12, 31)


def whole_before(unit: str, day: date, steps: int = 1) -> tuple[date, date]:
    """The one before the one that holds ``day``."""
    for _ in range(steps):
        day = whole(unit, day)[0] - timedelta(days=1)
    return whole(unit, day)


def latest(month: int, number: int, place: Place, year: int | None = None) -> date | None:
    """That day of the month in ``year``, else its latest occurrence; None for a day that does not exist."""
    try:
        found = date(year or place.today.year, month, number)
        return found if year or found <= place.today else found.replace(year=found.year - 1)
    except ValueError:
        return None
