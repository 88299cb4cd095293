"""What time it was when a snapshot was taken, for files that nobody dated.

The newest time written anywhere in the objects is a lower bound of "now": whatever is older than its deadline by then
is older still in truth, so nothing in progress is called overdue by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 12
_FUTURE_KEYS = frozenset({"notAfter", "renewalTime", "expirationTimestamp", "expiresAt", "nextScheduleTime", "expires"})
"""Times that lie ahead by their meaning and say nothing about now."""


def newest_time(raws: Iterable[Any]) -> datetime:
    """The newest time in decoded objects; 1970 where there is none."""
    return max((_newest(raw, 0) for raw in raws), default=_BEGINNING)


def _newest(value: Any, depth: int) -> datetime:
    if depth > _DEEPEST:
        return _BEGINNING
    if isinstance(value, dict):
        inner = (item for key, item in value.items() if key not in _FUTURE_KEYS)
        return max((_newest(item, depth + 1) for item in inner), default=_BEGINNING)
    if isinstance(value, list):
        return max((_newest(item, depth + 1) for item in value), default=_BEGINNING)
    return _time(value)


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    # "2018-12-02T09:19:36Z": cheap tests first, since this sees every text of every object.
    if not isinstance(value, str) or not 19 <= len(value) <= 35 or value[4] != "-" or value[10] != "T":
        return _BEGINNING
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return _BEGINNING
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
