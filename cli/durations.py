"""Reads lengths of time as people write them."""

from __future__ import annotations

import re
from datetime import timedelta

from opscrew.errors import UsageError

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LONGEST = timedelta(days=366)


def parse_duration(text: str) -> timedelta:
    """``30m``, ``12h``, ``7d``, ``2w``; at most a year. Raises ``UsageError``."""
    match = re.fullmatch(r"\s*(\d{1,6})\s*([mhdw])\s*", text.lower())
    length = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < length <= _LONGEST:
        raise UsageError(f"{text!r} is not a length of time", "Write 30m, 12h, 7d or 2w; at most a year.")
    return length
