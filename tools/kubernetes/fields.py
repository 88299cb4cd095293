"""Reads values out of decoded JSON whose shape nobody guarantees.

Custom resources are shaped by strangers and some are malformed: a list where a mapping belongs, a number for a text.
A check must then see "nothing there" and go on, so every reader returns an empty value of its own type instead of
raising. Mappings are plain dicts here, as every decoder makes them: asking for the abstract type costs a sweep of
thousands of pods several times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_NOTHING: Mapping[str, Any] = {}


def at(value: Any, *path: str) -> Any:
    """The value under ``path``, or None as soon as a step is not a mapping or has no such key."""
    for step in path:
        if not isinstance(value, dict):
            return None
        value = value.get(step)
    return value


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """The mapping under ``path``; empty for anything else."""
    found = at(value, *path)
    return found if isinstance(found, dict) else _NOTHING


def mappings(value: Any, *path: str) -> list[Mapping[str, Any]]:
    """The mappings of the list under ``path``; members of another type are left out."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def texts(value: Any, *path: str) -> list[str]:
    """The texts of the list under ``path``."""
    found = at(value, *path)
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def text(value: Any, *path: str) -> str:
    """The text under ``path``; numbers are written out, anything else is empty."""
    found = at(value, *path)
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""


def number(value: Any, *path: str) -> int | None:
    """The whole number under ``path``, also when it is written as text; None where there is none."""
    found = at(value, *path)
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if isinstance(found, str) and found.strip().lstrip("-").isdigit():
        return int(found)
    return None


def truth(value: Any, *path: str) -> bool | None:
    """The truth value under ``path``, also when it is written as text ("True"); None where there is none."""
    found = at(value, *path)
    if isinstance(found, bool):
        return found
    if isinstance(found, str) and found.lower() in ("true", "false"):
        return found.lower() == "true"
    return None


def moment(value: Any, *path: str) -> datetime | None:
    """The RFC 3339 time under ``path``, in UTC; None where there is none or it cannot be read."""
    found = at(value, *path)
    if isinstance(found, datetime):  # PyYAML reads unquoted times by itself
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if not isinstance(found, str) or len(found) < 19:
        return None
    try:
        parsed = datetime.fromisoformat(found)
    except ValueError:
        return None
    if parsed.year in (1, 9999):
        return None  # "never" in the words of some controllers; sums with it leave the calendar
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
