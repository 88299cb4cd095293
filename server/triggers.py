"""Turns an appointment into APScheduler's timer, with daylight saving done the way people expect it.

APScheduler counts in real time, so on its own it would run a daily 02:30 job twice on the night when 02:30 comes
twice. A time that does not exist in spring runs once, an hour later on the clock, which is what it already does.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from crews.runtime.schedule import Appointment
from opscrew.errors import UsageError


class WallClockTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """A cron line in a time zone. ``jitter`` only ever delays: an early run could count as a second one."""

    def __init__(self, cron: str, zone: ZoneInfo, jitter: timedelta = timedelta(0)) -> None:
        self._times = CronTrigger.from_crontab(cron, timezone=zone)
        self._jitter = jitter
        # "every hour" means real hours, also in the repeated one; "at 02:30" means once a night.
        self._skips_repeated_hour = "*" not in cron.split()[1]

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The next time, never before ``now`` by the clock on the wall."""
        found: datetime | None = self._times.get_next_fire_time(previous_fire_time, now)
        while found is not None and found.fold == 1 and self._skips_repeated_hour:
            found = self._times.get_next_fire_time(None, _later(found, 1))
        if found is None or not self._jitter:
            return found
        delay = random.uniform(0, self._jitter.total_seconds())  # noqa: S311  spreads load, guards nothing
        return _later(found, delay)


def trigger_of(appointment: Appointment, zone: ZoneInfo) -> BaseTrigger:
    """The timer of one appointment. Raises ``UsageError`` for a cron line that makes no sense."""
    if appointment.every is not None:
        # In UTC: an interval is a length of real time, and must not notice daylight saving.
        seconds = appointment.every.total_seconds()
        jitter = min(appointment.jitter.total_seconds(), seconds / 2) or None
        return IntervalTrigger(seconds=int(seconds), timezone=UTC, jitter=jitter)
    try:
        return WallClockTrigger(appointment.cron, zone, appointment.jitter)
    except ValueError as problem:
        raise UsageError(
            f"schedule of {appointment.crew}: {appointment.cron!r}: {problem}",
            "Write minute hour day month weekday, like 0 7 * * mon-fri.",
        ) from problem


def was_missed(trigger: BaseTrigger, last_started: datetime | None, now: datetime, zone: ZoneInfo) -> bool:
    """Whether a run was due between the last one and ``now``. A crew that never ran has missed nothing yet."""
    if last_started is None or last_started >= now:
        return False
    due: datetime | None = trigger.get_next_fire_time(None, _later(last_started.astimezone(zone), 1))
    return due is not None and due <= now


def _later(moment: datetime, seconds: float) -> datetime:
    """That much real time later. Adding to a zoned time moves the hands of the clock, and forgets the repeated hour."""
    return (moment.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(moment.tzinfo)
