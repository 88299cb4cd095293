"""Reads status conditions, the one convention that nearly every Kubernetes object follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tools.kubernetes.fields import at, mappings, moment, number, text


@dataclass(frozen=True, slots=True)
class Condition:
    """``status`` is True, False or None (Unknown, another ``word``, or no word at all)."""

    type: str
    status: bool | None
    reason: str
    message: str
    severity: str
    since: datetime | None
    observed_generation: int | None
    word: str = ""

    @property
    def word_is_odd(self) -> bool:
        """Whether the status is a word outside of the convention."""
        return self.word.lower() not in ("", "true", "false", "unknown")


_STATUS = {"true": True, "false": False}


def read_conditions(status: Mapping[str, Any], field: str = "conditions") -> list[Condition]:
    """All conditions under ``field``, in their order. Members without a type are left out."""
    return [_read(entry) for entry in mappings(status, field) if text(entry, "type")]


def find_condition(conditions: Iterable[Condition], kind: str) -> Condition | None:
    """The condition of that type, or None."""
    return next((condition for condition in conditions if condition.type == kind), None)


def _read(entry: Mapping[str, Any]) -> Condition:
    raw = at(entry, "status")  # some operators write a truth value where the convention is a text
    word = text(entry, "status")
    return Condition(
        type=text(entry, "type"),
        status=raw if isinstance(raw, bool) else _STATUS.get(word.lower()),
        reason=text(entry, "reason"),
        message=text(entry, "message") or text(entry, "error"),
        severity=text(entry, "severity"),
        since=moment(entry, "lastTransitionTime"),
        observed_generation=number(entry, "observedGeneration"),
        word=word,
    )
