"""Takes secrets out of text that came from outside.

One place, used before anything is stored, logged, shown or sent to a model. RE2 is used because its time grows
linearly with the text: logs are written by strangers, and a backtracking engine could be made to hang.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import re2
import yaml

MASK = "[redacted]"

PATTERNS_FILE = Path(__file__).with_name("redaction.yaml")


def redact(text: str) -> str:
    """The same text with every secret replaced by ``[redacted]``; line count and order stay."""
    for pattern, has_secret_group in _patterns():
        text = pattern.sub(_mask_group if has_secret_group else _mask_whole, text)
    return text


def _mask_whole(match: Any) -> str:
    return MASK + "\n" * str(match.group(0)).count("\n")


def _mask_group(match: Any) -> str:
    whole = str(match.group(0))
    start, end = (position - match.start() for position in match.span(1))
    return whole[:start] + MASK + whole[end:]


@cache
def _patterns() -> tuple[tuple[Any, bool], ...]:
    entries = yaml.safe_load(PATTERNS_FILE.read_text(encoding="utf-8"))["patterns"]
    return tuple((re2.compile(entry["pattern"]), "(?P<secret>" in entry["pattern"]) for entry in entries)
