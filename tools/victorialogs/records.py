"""What VictoriaLogs answers, as plain records. Log text is untrusted: redact and cap it before it is shown or kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class LogLine:
    """One entry with the fields that were asked for. ``message`` is the field ``_msg``."""

    at: datetime | None
    message: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Lines:
    """``cut`` means that the limit was reached and there may be more."""

    lines: tuple[LogLine, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """Lines that are equal once numbers, ids, times and addresses are replaced, and how many there were."""

    text: str
    count: int


@dataclass(frozen=True, slots=True)
class Group:
    """How many lines have these values in the fields that were counted by."""

    values: Mapping[str, str]
    count: int


@dataclass(frozen=True, slots=True)
class Tally:
    """How many lines a source wrote, and how many of them are failures."""

    values: Mapping[str, str]
    total: int
    failures: int
