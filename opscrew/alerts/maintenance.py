"""Times in which people work on something and alerts about it are expected: kept, but neither told nor triaged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.settings import MaintenanceSettings

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def maintenance_of(
    labels: Mapping[str, str], moment: datetime, windows: Sequence[MaintenanceSettings], zone: ZoneInfo
) -> str:
    """The name of the first window that covers an alert with these labels now; empty when none does."""
    return next((one.name for one in windows if _is_now(one, moment, zone) and _fits(one, labels)), "")


def _fits(window: MaintenanceSettings, labels: Mapping[str, str]) -> bool:
    return all(fnmatchcase(labels.get(name, ""), pattern) for name, pattern in window.labels.items())


def _is_now(window: MaintenanceSettings, moment: datetime, zone: ZoneInfo) -> bool:
    if window.begins is not None and moment < window.begins:
        return False
    if window.ends is not None and moment >= window.ends:
        return False
    if not window.hours:
        return not window.days or DAYS[moment.astimezone(zone).weekday()] in window.days
    hours = parse_quiet_hours(window.hours, zone)
    if not hours.cover(moment):
        return False
    local = moment.astimezone(zone)
    begin, end = hours.ranges[0]
    # Behind midnight a window still belongs to the day on which it began.
    after_midnight = begin > end and local.hour * 60 + local.minute < end
    day = (local - timedelta(days=1)) if after_midnight else local
    return not window.days or DAYS[day.weekday()] in window.days
