"""When a channel may be told: quiet hours and the daily digest, by the clock on the wall.

Both are read in the configured zone. A digest's time that the clock skips in spring comes an hour later, and one that
comes twice in autumn is meant the first time: a day has one digest.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opscrew.actions.quiet_hours import parse_quiet_hours
from opscrew.model.finding import Severity
from opscrew.settings_notify import ChannelSettings


def is_held(channel: ChannelSettings, severity: Severity, now: datetime, zone: ZoneInfo) -> bool:
    """Whether something of this severity has to wait until the quiet hours are over."""
    if severity is Severity.CRITICAL and channel.critical_in_quiet_hours:
        return False
    return is_quiet(channel, now, zone)


def is_quiet(channel: ChannelSettings, now: datetime, zone: ZoneInfo) -> bool:
    """Is it quiet in this channel at this moment?"""
    return parse_quiet_hours(channel.quiet_hours, zone).cover(now)


def has_digest(channel: ChannelSettings) -> bool:
    """Whether what was held back waits for a digest."""
    return "digest" in channel.kinds


def digest_due(channel: ChannelSettings, now: datetime, zone: ZoneInfo, late: timedelta) -> tuple[str, datetime] | None:
    """The local day ("2026-10-25") whose digest should have been made by now, and since when; ``None`` where none is
    due or it is later than ``late``."""
    if not has_digest(channel):
        return None
    today = now.astimezone(zone).date()
    hour, minute = (int(part) for part in channel.digest_at.split(":"))
    for day in (today, today - timedelta(days=1)):
        # Through UTC: a time that the clock skips is an hour later there, and so is what people read then.
        due = datetime.combine(day, time(hour, minute), tzinfo=zone).astimezone(UTC)
        if due <= now:
            return (day.isoformat(), due) if now - due <= late else None
    return None
