"""Takes out of answers what must not reach anybody: secrets, text by text, and what a terminal would obey.

Whoever builds a server or a gateway hands in what takes secrets out; nothing in this folder knows how one looks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Clean = Callable[[str], str]

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|.)?")
INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, marks that turn the direction of what follows, and half characters."""


def visible(text: str) -> str:
    """``text`` without what a terminal would obey or a reader would not see."""
    return INVISIBLE.sub("", ESCAPES.sub("", text))


def clean_value(value: Any, clean: Clean, *, name: str = "", longest: int | None = None) -> Any:
    """The same value of JSON with every text cleaned by itself, so that a mask can never break the JSON around it,
    and no quotes of JSON within JSON can hide a secret. ``name`` is what the value is called where it stands; texts
    are cut to the ``longest``."""
    if isinstance(value, str):
        return _clean_text(name, value[:longest], clean)
    if isinstance(value, dict):
        cleaned = {key: clean_value(inner, clean, name=key, longest=longest) for key, inner in value.items()}
        if isinstance(cleaned.get("name"), str) and isinstance(cleaned.get("value"), str):
            # As in the environment of a container: {"name": "DB_PASSWORD", "value": "..."}.
            cleaned["value"] = _clean_text(cleaned["name"], cleaned["value"], clean)
        return cleaned
    if isinstance(value, list):
        return [clean_value(inner, clean, name=name, longest=longest) for inner in value]
    return value


def _clean_text(name: str, text: str, clean: Clean) -> str:
    """A name may be what tells that its text is a secret."""
    cleaned = clean(f"{name}={text}")
    return cleaned.removeprefix(f"{name}=") if cleaned.startswith(f"{name}=") else clean(text)
