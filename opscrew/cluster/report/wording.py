"""An assessment as plain text that is readable at 80 columns."""

from __future__ import annotations

import textwrap

from opscrew.cluster.assessment import Assessment
from opscrew.model.finding import Finding

_WIDTH = 80
_MOST_FINDINGS = 60


def assessment_text(title: str, assessment: Assessment, read: str = "every kind was read") -> str:
    """Findings, then what was held back, then what could not be checked. All clear is only said when all was read;
    ``read`` says what that was."""
    problems = len(assessment.problems)
    lines = [f"{title}: {counted(problems, 'problem')}, {counted(len(assessment.findings) - problems, 'hint')}"]
    for finding in assessment.findings[:_MOST_FINDINGS]:
        lines += ["", *finding_lines(finding)]
    if (rest := len(assessment.findings) - _MOST_FINDINGS) > 0:
        lines += ["", f"and {rest} more (--json shows all)"]
    if assessment.held_back:
        held = ", ".join(f"{count} x {code}" for code, count in sorted(assessment.held_back.items()))
        lines += ["", *_wrapped(f"Hints not shown: {held}.")]
    if assessment.not_checked:
        lines += ["", *not_checked_lines(assessment.not_checked)]
    elif not problems:
        lines += ["", f"All clear: {read} and nothing is wrong."]
    return "\n".join(lines) + "\n"


def finding_lines(finding: Finding) -> list[str]:
    """Severity, code and subject; the cause; what suffers from it; evidence; the next step."""
    namespace = finding.details.get("namespace")
    subject = f"{finding.subject.kind} {namespace + '/' if namespace else ''}{finding.subject.name}"
    lines = [f"{finding.severity.value.upper():8} {finding.code}  {subject}", *_wrapped(finding.cause, "  ")]
    affected = finding.details.get("affected", [])
    if affected:
        names = ", ".join(f"{entry['kind']} {entry['name']}" for entry in affected[:5])
        more = finding.details.get("affected_total", len(affected)) - 5
        lines += _wrapped(f"affects: {names}{f' and {more} more' if more > 0 else ''}", "  ")
    for evidence in finding.evidence[:3]:
        lines += _wrapped(f"- {evidence.text}", "    ")
    return [*lines, *_wrapped(f"next: {finding.next_step}", "  ")]


def not_checked_lines(not_checked: dict[str, str]) -> list[str]:
    """What could not be read, grouped by reason: it is not known to be healthy."""
    by_reason: dict[str, list[str]] = {}
    for kind, reason in sorted(not_checked.items()):
        by_reason.setdefault(reason, []).append(kind)
    lines = ["Not checked, so not known to be healthy:"]
    for reason, kinds in by_reason.items():
        lines += _wrapped(f"- {', '.join(kinds)}: {reason}", "  ")
    return lines


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [indent]


def counted(count: int, noun: str) -> str:
    """ "1 problem", "2 problems"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
