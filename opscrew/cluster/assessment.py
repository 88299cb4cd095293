"""From a snapshot to findings: run the checks, fold, word, quieten. The one function others call is ``assess``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from opscrew.cluster.checks import CHECKS
from opscrew.cluster.events import EventGroup, digest
from opscrew.cluster.problem import Problem
from opscrew.cluster.report.folding import Folded, fold
from opscrew.cluster.report.next_steps import next_step_of
from opscrew.cluster.report.noise import Noise
from opscrew.cluster.snapshot import Snapshot
from opscrew.findings.codes import codes, finding
from opscrew.model.coverage import REST
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.redaction import redact
from tools.kubernetes.records import Resource

_LONGEST_LINE = 400
_MOST_LINES = 8
_MOST_AFFECTED = 200


@dataclass(frozen=True)
class Assessment:
    """``held_back`` counts hints beyond their cap by code; ``not_checked`` says what could not be read and why.
    ``symptoms`` are findings that are told as a part of their cause, as they would stand without it."""

    findings: list[Finding]
    counts: dict[str, int]
    held_back: dict[str, int] = field(default_factory=dict)
    not_checked: dict[str, str] = field(default_factory=dict)
    events: list[EventGroup] = field(default_factory=list)
    symptoms: list[Finding] = field(default_factory=list)

    @property
    def problems(self) -> list[Finding]:
        """Warnings and criticals."""
        return [found for found in self.findings if found.severity is not Severity.INFO]


def assess(snapshot: Snapshot, noise: Noise, cluster: str = "") -> Assessment:
    """Findings, gravest first; ``cluster`` is the name people gave it, part of each finding's identity."""
    rests_on: dict[str, set[str]] = defaultdict(set)
    folded = fold(snapshot, _problems(snapshot, rests_on))
    findings = sorted(
        (_finding(snapshot, group, cluster, rests_on) for group in folded), key=lambda f: -f.severity.rank
    )
    shown, held_back = noise.quieten(findings)
    shown.sort(key=lambda f: -f.severity.rank)
    counts = {kind: len(snapshot.of(kind)) for kind in ("Node", "Namespace", "Pod", "Deployment", "Job")}
    symptoms = [_finding(snapshot, group, cluster, rests_on) for cause in folded for group in cause.under]
    return Assessment(shown, counts, held_back, snapshot.not_checked, digest(snapshot.events), symptoms)


def _problems(snapshot: Snapshot, rests_on: dict[str, set[str]]) -> Iterator[Problem]:
    """What all checks find. Notes for each code which kinds of objects its checks looked at."""
    for check in CHECKS:
        snapshot.asked_for.clear()
        found = list(check(snapshot))
        for problem in found:
            rests_on[problem.code] |= snapshot.asked_for
        yield from found


def _finding(snapshot: Snapshot, group: Folded, cluster: str, rests_on: Mapping[str, Collection[str]]) -> Finding:
    problem, affected = group.problem, group.affected
    judged_by = {kind for one in (*group.members, *group.symptoms) for kind in rests_on[one.code]}
    made = finding(
        problem.code,
        subject_of(group.resource, cluster),
        _cause(group),
        severity=problem.severity,
        next_step=problem.next_step or next_step_of(problem),
        reason=problem.reason,
        aspect=problem.aspect,
        evidence=_evidence(snapshot, group, cluster),
        details={
            **problem.details,
            "namespace": group.resource.namespace,
            "affected": [_name(resource) for resource in affected[:_MOST_AFFECTED]],
            "affected_total": len(affected),
            # Kinds that could not be read were of no help: the finding ends without them too.
            REST: sorted(kind for kind in judged_by if kind in (snapshot.listed or ())),
        },
    )
    # A symptom may be graver than its cause: no replica left because of one wrong image name.
    severities = (symptom.severity or codes()[symptom.code].severity for symptom in group.symptoms)
    gravest = max(severities, key=lambda severity: severity.rank, default=made.severity)
    return made.model_copy(update={"severity": gravest}) if gravest.rank > made.severity.rank else made


def _cause(group: Folded) -> str:
    pods = [member.resource for member in group.members if member.resource is not group.resource]
    cause = _clean(group.problem.cause)
    if len(pods) > 1:
        return f"{len(pods)} pods, for example {pods[0].name}: {cause}"
    return f"Pod {pods[0].name}: {cause}" if pods and pods[0].kind == "Pod" else cause


def _evidence(snapshot: Snapshot, group: Folded, cluster: str) -> list[Evidence]:
    source = f"kubernetes {cluster}".strip()
    lines = [f"{group.problem.resource}: {fact}" for fact in group.problem.facts]
    lines += [f"{other.resource}: {other.cause}" for other in (*group.members[1:], *group.symptoms)]
    if not lines:
        lines = [f"{group.problem.resource}: {group.problem.reason}"]
    return [
        Evidence(source=source, text=_clean(line), observed_at=snapshot.now)
        for line in dict.fromkeys(lines[:_MOST_LINES])
    ]


def subject_of(resource: Resource, cluster: str) -> Subject:
    """The scope is "cluster/namespace", either part left out where there is none."""
    scope = "/".join(part for part in (cluster, resource.namespace) if part)
    return Subject(system="kubernetes", kind=resource.kind, scope=scope, name=resource.name)


def _name(resource: Resource) -> dict[str, Any]:
    return {"kind": resource.kind, "namespace": resource.namespace, "name": resource.name}


def _clean(text: str) -> str:
    """One line, without secrets, of bounded length: everything here was written by strangers."""
    line = " ".join(redact(text[: 4 * _LONGEST_LINE]).split())
    return line if len(line) <= _LONGEST_LINE else line[: _LONGEST_LINE - 1] + "…"
