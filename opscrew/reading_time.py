"""Times in sentences that people read: always in the one configured zone, and with its name.

Judgement writes sentences in many places that know nothing of settings, so the zone is set once when they are read,
like the secrets that redaction masks. Times that programs read stay in UTC, with their offset.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

_zone: tzinfo = UTC


def read_times_in(zone: tzinfo) -> None:
    """Sets the zone for this process."""
    global _zone
    _zone = zone


def minute(moment: datetime) -> str:
    """``2026-10-06 14:00 CEST``. The zone's name tells the two hours apart that autumn has twice."""
    return f"{moment.astimezone(_zone):%Y-%m-%d %H:%M %Z}"


def clock_time(moment: datetime) -> str:
    """``14:00 CEST``, for what happened within a day."""
    return f"{moment.astimezone(_zone):%H:%M %Z}"


def timestamp(moment: datetime) -> str:
    """ISO 8601 with offset, for logs: ``2026-10-06T14:00:05.123456+02:00``."""
    return moment.astimezone(_zone).isoformat()


def span(age: timedelta) -> str:
    """A length of time in its own unit ("40 minutes", "4 hours", "3 days"): what hangs for days is not told anew every
    minute."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 2 * 60:
        return f"{minutes} minutes"
    hours = round(minutes / 60)
    return f"{hours} hours" if hours < 2 * 24 else f"{round(hours / 24)} days"
