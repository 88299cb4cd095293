"""Something that is wrong, or worth knowing, about one subject."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject


class Severity(StrEnum):
    """How much it matters. ``warning`` and ``critical`` mean a problem, ``info`` does not."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 2 for critical: for sorting."""
        return ("info", "warning", "critical").index(self.value)


class Finding(BaseModel):
    """One observation of one problem. Its life over time is kept by ``opscrew.findings``.

    ``code`` is listed in ``opscrew/findings/codes.yaml`` and has its runbook of the same name. ``cause`` is one
    sentence that a person understands; ``next_step`` what to do. ``reason`` is the outside system's own word
    where it has one (CrashLoopBackOff). ``details`` holds plain JSON values for machines. ``aspect`` tells apart
    two findings of one code on one subject (a container, a mount); it is part of the identity.

    ``family`` replaces the code in the identity where one problem changes its code as it goes on: a failed build that
    was a network blip, then a re-run that failed too. ``occasion`` names what was seen this time (a failed build): as
    long as it stays the same, another look is not another appearance.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    subject: Subject
    cause: str
    next_step: str = ""
    reason: str = ""
    aspect: str = ""
    family: str = ""
    occasion: str = ""
    evidence: tuple[Evidence, ...] = ()
    details: dict[str, Any] = Field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits, the same each time the same problem is seen on the same subject."""
        identity = "\n".join((self.family or self.code, self.subject.key, self.aspect))
        return hashlib.sha256(identity.encode()).hexdigest()[:16]
