"""A cluster in one screen: counts, what is new, top findings, throttled workloads, events, and what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opscrew.cluster.assessment import Assessment
from opscrew.cluster.wording import counted, finding_lines, not_checked_lines
from opscrew.findings.codes import title_of
from opscrew.model.finding import Finding, Severity
from opscrew.reading_time import minute

_TOP = 10


@dataclass(frozen=True)
class ClusterSummary:
    """``new`` are problems first seen since yesterday. ``throttling_known`` is False without a metrics store."""

    cluster: str
    seen_at: datetime
    assessment: Assessment
    new: Sequence[Finding]
    throttled: Sequence[Finding]
    throttling_known: bool

    @property
    def all_clear(self) -> bool:
        """Only when nothing is wrong and every source answered."""
        return not (self.assessment.problems or self.throttled or self.assessment.not_checked) and self.throttling_known

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
            "throttled": [_row(finding) for finding in self.throttled] if self.throttling_known else None,
            "events": [
                {"kind": group.kind, "reason": group.reason, "times": group.times, "objects": group.objects}
                for group in found.events
            ],
            "not_checked": self.not_checked,
        }

    @property
    def not_checked(self) -> dict[str, str]:
        gaps = dict(self.assessment.not_checked)
        if not self.throttling_known:
            gaps["CPU throttling"] = "no metrics store answers"
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
        for title, findings in (("Top findings", found.problems[:_TOP]), ("Throttled", self.throttled[:_TOP])):
            lines += _list(title, [line for finding in findings for line in finding_lines(finding)])
        lines += _list("Events", [f"{g.times:6} x {g.reason} on {counted(g.objects, g.kind)}" for g in found.events])
        if self.not_checked:
            lines += ["", *not_checked_lines(self.not_checked)]
        if self.all_clear:
            lines += ["", "All clear: every source answered and nothing is wrong."]
        return "\n".join(lines) + "\n"


def _code_lines(findings: Sequence[Finding]) -> list[str]:
    return [f"{count:6} x {title_of(code)}" for code, count in Counter(f.code for f in findings).most_common(_TOP)]


def _list(title: str, lines: list[str]) -> list[str]:
    return ["", title, *(f"  {line}" for line in lines)] if lines else []


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "id": finding.fingerprint,
        "code": finding.code,
        "severity": finding.severity.value,
        "kind": finding.subject.kind,
        "namespace": finding.details.get("namespace", ""),
        "name": finding.subject.name,
        "reason": finding.reason,
        "message": finding.cause,
        "next_step": finding.next_step,
    }
