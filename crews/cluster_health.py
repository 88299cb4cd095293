"""Looks at every configured cluster, judges what it sees, and keeps the findings.

A cluster that does not answer is a finding of its own, and its other findings stay as they were last seen.
"""

from __future__ import annotations

from crews.cluster_metrics import findings_with_peaks, metrics_of, read_throttling
from crews.cluster_sweep import snapshot_of
from crews.context import CrewContext
from opscrew.cluster.assessment import Assessment, assess
from opscrew.cluster.names import NAMED_KINDS, remember
from opscrew.cluster.noise import load_noise
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.throttling import throttling_findings
from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import OPEN, FindingState
from opscrew.findings.records import Changes
from opscrew.model.finding import Finding
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.settings import KubernetesSettings
from tools.errors import UpstreamError

NAME = "cluster_health"


def run(context: CrewContext) -> Run:
    """One look at each cluster, one after the other: reading is what takes the time, and it is parallel inside."""
    started = context.clock()
    ledger = Ledger(context.engine, context.clock)
    noise = load_noise(context.settings.cluster_noise)
    said: list[str] = []
    unavailable: list[str] = []
    silent_clusters = 0
    for part in context.settings.kubernetes:
        reader = context.systems.cluster(part.name)
        try:
            reading = reader.read()
        except UpstreamError as problem:
            unavailable.append(f"kubernetes {part.name}")
            ledger.observe(source(part.name, "access"), [_unreachable(part.name, problem)], complete=True)
            said.append(f"{part.name} does not answer")
            silent_clusters += 1
            continue
        ledger.observe(source(part.name, "access"), [], complete=True)
        snapshot = snapshot_of(reading, context.clock())
        _remember_names(context, part.name, snapshot)
        assessment = assess(snapshot, noise, part.name)
        told, silent = findings_with_peaks(context.systems, part, assessment.findings, snapshot.now)
        unavailable += [silent] if silent else []
        told += _told_before(ledger, assessment)
        changes = ledger.observe(source(part.name), told, complete=not reading.interrupted)
        if reading.interrupted:
            unavailable.append(f"kubernetes {part.name} ({', '.join(sorted(reading.not_checked))})")
        if context.settings.victoriametrics is not None:
            unavailable += _look_for_throttling(context, part, snapshot, ledger)
        said.append(_sentence(part.name, assessment, changes))
    return Run(
        crew=NAME,
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.PARTIAL if unavailable else RunOutcome.OK,
        summary="; ".join(said) or "no cluster is configured",
        unavailable=tuple(unavailable),
        read_nothing=0 < silent_clusters == len(context.settings.kubernetes),
    )


def _remember_names(context: CrewContext, cluster: str, snapshot: Snapshot) -> None:
    read = [kind for kind in NAMED_KINDS if snapshot.knows(kind)]
    remember(context.engine, cluster, (one.key for kind in NAMED_KINDS for one in snapshot.of(kind)), read)


def _told_before(ledger: Ledger, assessment: Assessment) -> list[Finding]:
    """Symptoms that were findings of their own before their cause showed. They are there still: that they are told
    under their cause from now on must not look like an end of them."""
    if not assessment.symptoms:
        return []
    known = {entry.fingerprint for entry in ledger.list((*OPEN, FindingState.SUPPRESSED), limit=None)}
    known -= {found.fingerprint for found in assessment.findings}
    return [found for found in assessment.symptoms if found.fingerprint in known]


def _look_for_throttling(
    context: CrewContext, part: KubernetesSettings, snapshot: Snapshot, ledger: Ledger
) -> list[str]:
    """What did not answer. The API server does not know of throttling, so the metrics store is asked."""
    try:
        metrics = metrics_of(context.systems, part)
        found = read_throttling(metrics, part.metrics_labels, snapshot)
    except (UpstreamError, CrewError) as problem:
        return [f"throttling of {part.name} ({problem})"]
    told = throttling_findings(found.containers, part.name, snapshot.now)
    ledger.observe(source(part.name, "throttling"), told, complete=not found.partial)
    return [f"a part of victoriametrics ({part.name})"] if found.partial else []


def source(cluster: str, part: str = "") -> str:
    """The ledger's name for what looked."""
    return "/".join(word for word in (NAME, cluster, part) if word)


def _unreachable(cluster: str, problem: UpstreamError) -> Finding:
    subject = Subject(system="kubernetes", kind="cluster", name=cluster)
    return finding("SYSTEM_UNAVAILABLE", subject, f"The cluster {cluster} cannot be read: {problem}"[:400])


def _sentence(cluster: str, assessment: Assessment, changes: Changes) -> str:
    problems = len(assessment.problems)
    gaps = f", {len(assessment.not_checked)} kinds not checked" if assessment.not_checked else ""
    return (
        f"{cluster}: {assessment.counts['Pod']} pods, {problems} problems, "
        f"{len(changes.new)} new, {len(changes.resolved)} resolved{gaps}"
    )
