"""Looks at every configured cluster, judges what it sees, and keeps the findings.

A cluster that does not answer is a finding of its own, and its other findings stay as they were last seen.
"""

from __future__ import annotations

from crews.runtime.cluster_metrics import Throttling, findings_with_peaks, look_for_throttling
from crews.runtime.clusters import snapshot_of
from crews.runtime.context import CrewContext
from opscrew.cluster.assessment import Assessment, assess
from opscrew.cluster.names import NAMED_KINDS, remember
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.report.wording import counted
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads.throttling import throttling_findings
from opscrew.cluster.workloads.throttling_coverage import THROTTLING
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import FindingState
from opscrew.findings.not_measured import not_measured
from opscrew.findings.records import Changes
from opscrew.model.coverage import Basis, Coverage, Gap, in_words
from opscrew.model.finding import Finding
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.settings import KubernetesSettings
from tools.errors import UpstreamError
from tools.kubernetes.resource_types import SWEEP_TYPES
from tools.kubernetes.sweep import Reading, key_kind

NAME = "cluster_health"

ALWAYS_SERVED = ("", "apps", "batch")
"""Groups without which there is no cluster: that the server knows none of their kinds comes from a proxy before it, so
what was judged by them is not over."""


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
        seen = objects_coverage(reading)
        changes = ledger.observe(source(part.name), told, complete=not reading.interrupted, gaps=seen.gaps)
        if not reading.interrupted:  # a hitch is told by the run, and over with the next
            _tell_gaps(ledger, part.name, "objects", seen)
        if reading.interrupted:
            unavailable.append(f"kubernetes {part.name} ({', '.join(sorted(reading.not_checked))})")
        said.append(_sentence(part.name, assessment, changes, seen))
        if context.settings.victoriametrics is not None:
            throttling = _watch_throttling(context, part, snapshot, ledger)
            unavailable += [f"throttling of {part.name} ({throttling.failure})"] if throttling.failure else []
            said += [in_words(throttling.coverage.gaps)] if throttling.coverage.told else []
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
    told = {found.fingerprint for found in assessment.findings}
    hidden = {found.fingerprint: found for found in assessment.symptoms if found.fingerprint not in told}
    known = ledger.find(hidden) if hidden else {}
    return [hidden[one] for one, entry in known.items() if entry.state is not FindingState.RESOLVED]


def _watch_throttling(context: CrewContext, part: KubernetesSettings, snapshot: Snapshot, ledger: Ledger) -> Throttling:
    """The API server does not know of throttling, so the metrics store is asked."""
    found = look_for_throttling(context.systems, part, snapshot)
    told = throttling_findings(found.containers, part.name, snapshot.now)
    ledger.observe(source(part.name, "throttling"), told, complete=True, gaps=found.coverage.gaps)
    _tell_gaps(ledger, part.name, THROTTLING, found.coverage)
    return found


def objects_coverage(reading: Reading) -> Coverage:
    """Which kinds could be listed. What did not come at all hides every kind: nobody knows which they are."""
    gaps = []
    for kind, why in reading.not_checked.items():
        gaps.append(Gap(kind, why, kinds=frozenset({kind} if kind[:1].isupper() else ())))
    unserved = {key_kind(one) for one in SWEEP_TYPES if one.group in ALWAYS_SERVED} - {
        *reading.listed,
        *reading.not_checked,
    }
    if unserved:
        gaps.append(Gap("kinds", "the server does not serve them", kinds=frozenset(unserved), is_expected=True))
    return Coverage(len(reading.listed), tuple(gaps))


def _tell_gaps(ledger: Ledger, cluster: str, about: str, coverage: Coverage) -> None:
    """Of an answer in part nobody knows what is missing, so it neither begins nor ends such a finding."""
    if any(gap.basis is Basis.PARTLY for gap in coverage.gaps):
        return
    subject = Subject(system="kubernetes", kind="cluster", name=cluster)
    told = not_measured(subject, about, coverage)
    ledger.observe(source(cluster, f"{about} not measured"), told, complete=True)


def source(cluster: str, part: str = "") -> str:
    """The ledger's name for what looked."""
    return "/".join(word for word in (NAME, cluster, part) if word)


def _unreachable(cluster: str, problem: UpstreamError) -> Finding:
    subject = Subject(system="kubernetes", kind="cluster", name=cluster)
    return finding("SYSTEM_UNAVAILABLE", subject, f"The cluster {cluster} cannot be read: {problem}"[:400])


def _sentence(cluster: str, assessment: Assessment, changes: Changes, seen: Coverage) -> str:
    problems = len(assessment.problems)
    gaps = f", {counted(len(seen.told), 'kind')} not checked: {in_words(seen.gaps)}" if seen.told else ""
    return (
        f"{cluster}: {assessment.counts['Pod']} pods, {problems} problems, "
        f"{len(changes.new)} new, {len(changes.resolved)} resolved{gaps}"
    )
