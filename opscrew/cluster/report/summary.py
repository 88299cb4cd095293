"""A cluster in one screen: counts, what is new, top findings, throttled workloads, events, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opscrew.cluster.assessment import Assessment
from opscrew.cluster.report.wording import counted, finding_lines, not_checked_lines
from opscrew.findings.codes import title_of
from opscrew.model.coverage import Basis, Coverage, in_words
from opscrew.model.finding import Finding, Severity
from opscrew.reading_time import minute

_TOP = 10


@dataclass(frozen=True)
class Measured:
    """What metrics say is wrong, findings that cannot be seen now included, and what that rests on."""

    findings: Sequence[Finding]
    coverage: Coverage

    @property
    def why_not(self) -> str:
        """What was not measured; "" where everything was."""
        return in_words(self.coverage.gaps)


@dataclass(frozen=True)
class ClusterSummary:
    """``new`` are problems first seen since yesterday."""

    cluster: str
    seen_at: datetime
    assessment: Assessment
    new: Sequence[Finding]
    throttling: Measured
    volumes: Measured

    @property
    def all_clear(self) -> bool:
        """Only when nothing is wrong, every source answered, and every subject was measured."""
        wrong = self.assessment.problems or self.throttling.findings or self.volumes.findings
        return not (wrong or self.not_checked)

    def as_json(self) -> dict[str, Any]:
        found = self.assessment
        return {
            "cluster": self.cluster,
            "seen_at": self.seen_at.isoformat(),
            "all_clear": self.all_clear,
            "counts": found.counts,
            "severities": Counter(finding.severity.value for finding in found.findings),
            "codes": Counter(finding.code for finding in found.problems),
            "new_since_yesterday": [_row(finding) for finding in self.new],
            "top": [_row(finding) for finding in found.problems[:_TOP]],
            "throttled": _rows(self.throttling),
            "volumes": _rows(self.volumes),
            "events": [
                {"kind": group.kind, "reason": group.reason, "times": group.times, "objects": group.objects}
                for group in found.events
            ],
            "not_checked": self.not_checked,
        }

    @property
    def not_checked(self) -> dict[str, str]:
        gaps = dict(self.assessment.not_checked)
        for name, part in (("CPU throttling", self.throttling), ("volumes", self.volumes)):
            if part.why_not:
                gaps[name] = part.why_not.removeprefix(f"{name} not measured: ")
        return gaps

    def as_text(self) -> str:
        found = self.assessment
        counts = ", ".join(counted(number, kind) for kind, number in found.counts.items())
        critical = sum(finding.severity is Severity.CRITICAL for finding in found.problems)
        lines = [f"{self.cluster} at {minute(self.seen_at)}", counts]
        lines.append(
            f"{counted(len(found.problems), 'problem')}, {critical} critical, {len(self.new)} new since yesterday"
        )
        lines += _list("By kind of problem", _code_lines(found.problems))
        parts = {
            "Top findings": found.problems,
            "Throttled": self.throttling.findings,
            "Volumes": self.volumes.findings,
        }
        for title, findings in parts.items():
            lines += _list(title, [line for finding in findings[:_TOP] for line in finding_lines(finding)])
        lines += _list("Events", [f"{g.times:6} x {g.reason} on {counted(g.objects, g.kind)}" for g in found.events])
        if self.not_checked:
            lines += ["", *not_checked_lines(self.not_checked)]
        if self.all_clear:
            lines += ["", "All clear: every source answered, everything was measured and nothing is wrong."]
        return "\n".join(lines) + "\n"


def _code_lines(findings: Sequence[Finding]) -> list[str]:
    return [f"{count:6} x {title_of(code)}" for code, count in Counter(f.code for f in findings).most_common(_TOP)]


def _list(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _rows(part: Measured) -> list[dict[str, Any]] | None:
    """None where nothing is known: neither measured now nor found before."""
    if part.coverage.basis is Basis.NOT_MEASURED and not part.findings:
        return None
    return [_row(finding) for finding in part.findings]


def row_of(finding: Finding) -> dict[str, Any]:
    """A finding of a cluster for programs, the same in every command."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "kind": finding.subject.kind,
        "namespace": finding.details.get("namespace", ""),
        "name": finding.subject.name,
        "reason": finding.reason,
        "message": finding.cause,
        "next_step": finding.next_step,
    }


def _row(finding: Finding) -> dict[str, Any]:
    return {"id": finding.fingerprint, **row_of(finding)}
