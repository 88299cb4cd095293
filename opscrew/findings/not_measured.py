"""What is not measured as a finding of its own, so that an empty list never means that nobody looked."""

from __future__ import annotations

from opscrew.findings.codes import finding
from opscrew.model.coverage import Basis, Coverage, in_words
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject

LONGEST_CAUSE = 400


def not_measured(subject: Subject, about: str, coverage: Coverage) -> list[Finding]:
    """One finding for all gaps of one look, none where there is no gap. It is a problem where nothing was measured, and
    worth knowing where something was. ``about`` tells apart several looks at one subject."""
    if coverage.is_whole:
        return []
    severity = None if coverage.basis is Basis.NOT_MEASURED else Severity.INFO
    cause = f"Nothing would tell that it goes wrong: {in_words(coverage.gaps)}."[:LONGEST_CAUSE]
    return [finding("NOT_MEASURED", subject, cause, severity=severity, aspect=about)]
