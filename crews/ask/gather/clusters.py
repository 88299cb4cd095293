"""The present state of the configured Kubernetes clusters, judged as `crew cluster check` does."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from crews.ask.gather.collector import Request
from crews.runtime.clusters import snapshot_of
from opscrew.answer.packet import Fact, gap_fact
from opscrew.answer.understand.subjects import alternatives
from opscrew.cluster.assessment import Assessment, assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.report.status_line import standing
from opscrew.cluster.snapshot import Snapshot
from opscrew.findings.codes import title_of
from opscrew.model.coverage import Gap
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from tools.errors import UpstreamError
from tools.kubernetes.records import Resource

MOST = 12
MOST_NAMED = 4


def collect(request: Request) -> Sequence[Fact]:
    """Counts of each cluster, then its findings about what was asked. Raises the first ``UpstreamError`` where no
    cluster answered; one among several is a gap."""
    noise = load_noise(request.context.settings.cluster_noise)
    facts: list[Fact] = []
    silent: dict[str, UpstreamError] = {}
    for part in request.context.settings.kubernetes:
        try:
            reading = request.context.systems.cluster(part.name).read()
        except UpstreamError as problem:
            silent[part.name] = problem
            continue
        snapshot = snapshot_of(reading, request.now)
        facts += _of_cluster(part.name, assess(snapshot, noise, part.name), request)
        facts += _of_named(part.name, snapshot, request)
    if silent and not facts:
        raise next(iter(silent.values()))
    gaps = [Gap(f"cluster {name}", str(problem)) for name, problem in silent.items()]
    return [*facts, *(gap_fact("kubernetes", gap, request.now) for gap in gaps)]


def _of_named(cluster: str, snapshot: Snapshot, request: Request) -> list[Fact]:
    """How each thing stands that the question names, also where nothing is wrong with it."""
    weight = {"cluster": 9.5, "storage": 6.0}.get(request.intent.domain, 4.5)
    facts = []
    for one in named_in(request, cluster, snapshot)[:MOST_NAMED]:
        if told := standing(one, snapshot):
            text = f"{one.kind} {'/'.join(part for part in (cluster, one.namespace, one.name) if part)}: {told}"
            facts.append(Fact(f"kubernetes {cluster}", text, request.now, weight=weight))
    return facts


def named_in(request: Request, cluster: str, snapshot: Snapshot) -> list[Resource]:
    """The objects of this cluster that the question means, in every namespace unless it names one."""
    subjects = [one for one in request.understood.subjects if one.system == "kubernetes"]
    names = {(_kind(one), one.name) for one in subjects if one.kind != "cluster"}
    spaces = {one.name for one in subjects if one.kind == "namespace"}
    found = [one for kind, name in sorted(names) for one in snapshot.of(kind) if one.name == name]
    is_place_only = all(one.kind in ("namespace", "cluster") for one in subjects)
    return [one for one in found if is_place_only or (one.kind != "Namespace" and _lies_in(one, spaces))]


def _kind(subject: Subject) -> str:
    return "Namespace" if subject.kind == "namespace" else subject.kind


def _lies_in(resource: Resource, namespaces: Collection[str]) -> bool:
    return not namespaces or resource.namespace in namespaces


def _of_cluster(name: str, assessment: Assessment, request: Request) -> list[Fact]:
    codes = request.intent.codes
    about = [
        one for one in assessment.findings if _is_about(one, request) and (not codes or one.code.startswith(codes))
    ]
    counts = ", ".join(f"{count} {kind.lower()}s" for kind, count in assessment.counts.items())
    problems = sum(one.severity.rank > 0 for one in about)
    text = f"cluster {name}: {counts}; {problems} problems" + (
        f" about {request.understood.subject}" if request.understood.subject else ""
    )
    is_answer = about or request.intent.domain == "cluster"
    facts = [Fact(f"kubernetes {name}", text, request.now, weight=9 if is_answer else 4)]
    for place, one in enumerate(about[:MOST]):
        reason = f" ({one.reason})" if one.reason and one.reason not in one.cause else ""
        words = f"{title_of(one.code)}: {one.subject}: {one.cause}{reason}; {one.severity.value}"
        facts.append(Fact(f"kubernetes {name}", words, request.now, weight=8.5 - 0.1 * place))
        if place < 3:
            facts += [
                Fact(line.source, line.text, line.observed_at, weight=6 - 0.1 * place) for line in one.evidence[:3]
            ]
    by_reason: dict[str, list[str]] = defaultdict(list)
    for kind, why in assessment.not_checked.items():
        by_reason[why].append(kind)
    gaps = [Gap("kinds of objects", why, tuple(kinds)) for why, kinds in by_reason.items()]
    return [*facts, *(gap_fact(f"kubernetes {name}", gap, request.now) for gap in gaps)]


def _is_about(finding: Finding, request: Request) -> bool:
    affected = [one for one in finding.details.get("affected", []) if isinstance(one, dict)]
    names = {finding.subject.name, *finding.subject.scope.split("/"), *(str(one.get("name")) for one in affected)}
    named = alternatives(one for one in request.understood.subjects if one.system != "bitbucket")
    return all(
        any(one.name in names or any(name.startswith(f"{one.name}-") for name in names) for one in group)
        for group in named
    )
