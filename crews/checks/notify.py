"""Checks of the channels in which people are told, without telling anybody anything."""

from __future__ import annotations

from crews.checks.check import Check, Level, Result, off
from crews.runtime.systems import Systems
from opscrew.settings import Settings
from opscrew.settings_notify import ChannelSettings

PATIENCE_SECONDS = 5.0


def notify_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each channel."""
    if not settings.notify.channels:
        return off(
            "notify", "Nobody is told anything. Add a channel under notify in crew.yaml; docs/NOTIFY.md says how."
        )
    return tuple(_check(channel) for channel in settings.notify.channels)


def _check(channel: ChannelSettings) -> Check:
    def look(systems: Systems) -> Result:
        from crews.notify.trying import reach

        return Result(Level.OK, reach(systems.settings.notify, channel, PATIENCE_SECONDS))

    return Check(f"notify {channel.name}", look)
