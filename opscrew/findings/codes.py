"""The list of finding codes: loads ``codes.yaml``, validates it, and builds findings that use its wording."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.strict_yaml import read_strictly

CODES_FILE = Path(__file__).with_name("codes.yaml")

_SPELLING = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_LONGEST_TITLE = 60
_KEYS = {"title", "severity", "next_step"}


@dataclass(frozen=True)
class Code:
    """One entry of ``codes.yaml``. ``severity`` is the default for its findings."""

    name: str
    title: str
    severity: Severity
    next_step: str

    @property
    def runbook(self) -> str:
        """Path of its runbook inside the project."""
        return f"knowledge/runbooks/{self.name}.md"


class BadCodesError(ValueError):
    """``codes.yaml`` was edited wrongly; the message names the code and what is wrong with it."""


@cache
def codes() -> Mapping[str, Code]:
    """Every code by name. Raises ``BadCodesError``."""
    return parse_codes(read_strictly(CODES_FILE)[0])


def parse_codes(entries: Mapping[str, Mapping[str, Any]]) -> dict[str, Code]:
    """Checks spelling, wording and severity of each entry. Raises ``BadCodesError``."""
    return {name: _parse(name, entry) for name, entry in entries.items()}


def _parse(name: str, entry: Mapping[str, Any]) -> Code:
    if not _SPELLING.fullmatch(name):
        raise BadCodesError(f"{name}: write codes in capitals with underscores, like POD_CRASH_LOOPING")
    if set(entry) != _KEYS:
        raise BadCodesError(f"{name}: expected exactly {', '.join(sorted(_KEYS))}")
    if entry["severity"] not in list(Severity):
        raise BadCodesError(f"{name}: severity must be one of {', '.join(Severity)}")
    title, next_step = str(entry["title"]).strip(), str(entry["next_step"]).strip()
    if not title or len(title) > _LONGEST_TITLE:
        raise BadCodesError(f"{name}: the title must have 1 to {_LONGEST_TITLE} characters")
    if not next_step:
        raise BadCodesError(f"{name}: next_step says nothing")
    return Code(name, title, Severity(entry["severity"]), next_step)


def title_of(name: str) -> str:
    """The title for lists; the code itself where the list does not know it (a finding of an older version)."""
    known = codes().get(name)
    return known.title if known else name


def finding(  # noqa: PLR0913  mirrors the fields of Finding that differ from case to case
    code: str,
    subject: Subject,
    cause: str,
    *,
    severity: Severity | None = None,
    next_step: str = "",
    reason: str = "",
    aspect: str = "",
    evidence: Iterable[Evidence] = (),
    details: Mapping[str, Any] | None = None,
) -> Finding:
    """A finding with the severity and next step of ``codes.yaml`` unless given. ``KeyError`` for an unknown code."""
    entry = codes()[code]
    return Finding(
        code=code,
        severity=severity or entry.severity,
        subject=subject,
        cause=cause,
        next_step=next_step or entry.next_step,
        reason=reason,
        aspect=aspect,
        evidence=tuple(evidence),
        details=dict(details or {}),
    )
