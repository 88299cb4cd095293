"""What time it was when a snapshot was taken, for files that nobody dated.

The newest time written anywhere in the objects is a lower bound of "now": whatever is older than its deadline by then
is older still in truth, so nothing in progress is called overdue by mistake.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_DEEPEST = 12
_FUTURE_KEY = re.compile(r"after|deadline|expir|next|renewal|until|validto", re.IGNORECASE)
"""In the names of fields and annotations whose time may lie ahead: it says nothing about now."""
_WISHES = "spec"
"""What somebody wants, where every time may be of any time."""
_LAST_YEAR = 9998


def newest_time(raws: Iterable[Any]) -> datetime:
    """The newest time in decoded objects; 1970 where there is none."""
    return max((_newest(raw, 0) for raw in raws), default=_BEGINNING)


def _newest(value: Any, depth: int) -> datetime:
    if depth > _DEEPEST:
        return _BEGINNING
    if isinstance(value, dict):
        inner = (item for key, item in value.items() if not _lies_ahead(key))
        return max((_newest(item, depth + 1) for item in inner), default=_BEGINNING)
    if isinstance(value, list):
        return max((_newest(item, depth + 1) for item in value), default=_BEGINNING)
    return _time(value)


@lru_cache(maxsize=4096)
def _lies_ahead(key: object) -> bool:
    return key == _WISHES or (isinstance(key, str) and _FUTURE_KEY.search(key) is not None)


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):  # YAML's own
        return _in_utc(value)
    # "2018-12-02T09:19:36Z": cheap tests first, since this sees every text of every object.
    if not isinstance(value, str) or not 19 <= len(value) <= 35 or value[4] != "-" or value[10] != "T":
        return _BEGINNING
    try:
        return _in_utc(datetime.fromisoformat(value))
    except ValueError:
        return _BEGINNING


def _in_utc(parsed: datetime) -> datetime:
    if parsed.year > _LAST_YEAR:
        return _BEGINNING  # "never" in the words of some controllers
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
