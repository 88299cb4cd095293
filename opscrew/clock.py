"""Time as an argument.

Everything that asks "what time is it" takes a ``Clock``, so a test can live through a night, a daylight-saving
change or a clock that jumps without waiting for one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Returns the current time, timezone-aware, in UTC."""


def utc_now() -> datetime:
    """The machine's own clock. Only ``main.py`` and the command line pass it on."""
    return datetime.now(UTC)
