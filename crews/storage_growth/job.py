"""Looks at every volume of every cluster, says which will be full, and proposes to enlarge what may be enlarged.

What is approved is sent and followed by `action_upkeep`, like every other action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from crews.runtime.cluster_metrics import metrics_of
from crews.runtime.clusters import snapshot_of
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from crews.runtime.volumes import VolumeFacts, read_claims, read_facts
from opscrew.actions.execution import Execution
from opscrew.cluster.snapshot import Snapshot
from opscrew.errors import CrewError
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState
from opscrew.model.coverage import Coverage, Gap, in_words
from opscrew.model.finding import Finding, Severity
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.settings import KubernetesSettings
from opscrew.storage.advice import Advice, Step, advise
from opscrew.storage.coverage import PARTIAL
from opscrew.storage.expansion import KIND, expand_action
from opscrew.storage.trouble import Trouble, finding_of, look_for_trouble
from opscrew.storage.volume import Volume
from tools.errors import UpstreamError

NAME = "storage_growth"
NEXT_STEPS = {
    Step.EXPAND: "Enlarge it to {size} GiB{cost}: {reason}.",
    Step.CLEAN_UP: "Clean it up: {reason}.",
    Step.MIGRATE: "Move it to a larger volume{cost}: {reason}.",
    Step.LEAVE: "Wait: {reason}.",
}


@dataclass(frozen=True)
class Judged:
    """One volume with what is wrong with it, if anything, and what to do."""

    volume: Volume
    trouble: Trouble | None
    advice: Advice


def run(context: CrewContext) -> Run:
    """One look at each cluster. What cannot be asked leaves the findings as they were."""
    started = context.clock()
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    ledger = Ledger(context.engine, context.clock)
    said: list[str] = []
    unavailable: list[str] = []
    silent_clusters = 0
    for part in context.settings.kubernetes:
        try:
            facts = look(context.systems, part, enlarged_at(execution))
        except (UpstreamError, CrewError) as problem:
            unavailable.append(f"storage of {part.name}")
            ledger.observe(f"{NAME}/{part.name}/access", [_unreadable(part, problem)], complete=False)
            said.append(f"{part.name}: {Gap('volumes', str(problem))}")
            silent_clusters += 1
            continue
        coverage = facts.coverage
        unseen = [Gap("volumes", PARTIAL, subjects=frozenset({cluster_of(part.name).key}))] if facts.partial else []
        missing = list(missing_metrics(part.name, coverage))
        ledger.observe(f"{NAME}/{part.name}/access", missing, complete=True, gaps=unseen)
        judged = judge(facts.volumes, context.clock())
        problems = [one for one in judged if one.trouble is not None]
        found = {one.volume.claim.subject.key: problem_of(one, context.clock()) for one in problems}
        changes = ledger.observe(f"{NAME}/{part.name}", found.values(), complete=True, gaps=coverage.gaps)
        proposed = propose(execution, problems, found, context.clock())
        if facts.partial:
            unavailable.append(f"a part of victoriametrics ({part.name})")
        gaps = f"; {in_words(coverage.gaps)}" if coverage.told else ""
        counts = f"{len(judged)} volumes, {len(problems)} fill up, {len(changes.new)} new"
        said.append(f"{part.name}: {counts}{proposed}{gaps}")
    return Run(
        crew=NAME,
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.PARTIAL if unavailable else RunOutcome.OK,
        summary="; ".join(said) or "no cluster is configured",
        unavailable=tuple(unavailable),
        read_nothing=0 < silent_clusters == len(context.settings.kubernetes),
    )


def look(systems: Systems, part: KubernetesSettings, enlarged: Mapping[str, datetime]) -> VolumeFacts:
    """The volumes of one cluster. Raises ``UpstreamError``, or ``CrewError`` where settings stand in the way."""
    metrics_of(systems, part)  # what is wrong with the settings is told before a cluster is read
    return volumes_in(systems, part, snapshot_of(systems.cluster(part.name).read(), systems.clock()), enlarged)


def volumes_in(
    systems: Systems, part: KubernetesSettings, snapshot: Snapshot, enlarged: Mapping[str, datetime]
) -> VolumeFacts:
    """The volumes of a cluster that was read. Raises like ``look``."""
    metrics = metrics_of(systems, part)
    unread = [kind for kind in ("PersistentVolumeClaim", "StorageClass", "Pod") if kind in snapshot.not_checked]
    if unread:
        raise CrewError(f"{unread[0]} cannot be read: {snapshot.not_checked[unread[0]]}")
    claims = read_claims(snapshot, part.name)
    return read_facts(claims, metrics, part.metrics_labels, snapshot.now, enlarged)


def judge(volumes: Iterable[Volume], now: datetime) -> list[Judged]:
    """The fullest first."""
    ordered = sorted(volumes, key=lambda volume: -volume.used_share)
    return [Judged(volume, look_for_trouble(volume), advise(volume, now)) for volume in ordered]


def problem_of(judged: Judged, now: datetime) -> Finding:
    """The finding of a volume in trouble."""
    assert judged.trouble is not None, "asked of those in trouble alone"
    advice = judged.advice
    cost = f" (about {advice.cost} USD more a month)" if advice.cost is not None else ""
    sentence = NEXT_STEPS[advice.step].format(size=advice.to_gib, cost=cost, reason=advice.reason)
    return finding_of(judged.volume, judged.trouble, now, advice=advice.step.value, next_step=sentence)


def propose(execution: Execution, problems: Iterable[Judged], found: dict[str, Finding], now: datetime) -> str:
    """Proposes what the advice says, and tells how many, for the summary."""
    count = 0
    for one in problems:
        action = expand_action(one.volume, one.advice, found[one.volume.claim.subject.key], now)
        if action is not None and execution.find(action.idempotency_key) is None:
            count += execution.propose(action).state is not ActionState.REFUSED
    return f", {count} enlargements proposed" if count else ""


def enlarged_at(execution: Execution) -> dict[str, datetime]:
    """When the crew last enlarged each claim, by the key of its subject."""
    done = execution.in_states((ActionState.SUCCEEDED, ActionState.SENT, ActionState.SENDING), KIND)
    return {record.action.target.key: record.finished_at or record.proposed_at for record in done}


def missing_metrics(cluster: str, coverage: Coverage) -> Iterator[Finding]:
    """What nobody watches. Some drivers never report, so that a few are worth knowing and most of them a problem."""
    named = coverage.told
    if named and all(gap.names for gap in named):
        missing = sum(len(gap.names) for gap in named)
        severity = None if missing > coverage.measured else Severity.INFO
        cause = f"Nothing would tell that they fill up: {in_words(named)}."
        yield finding("VOLUME_METRICS_MISSING", cluster_of(cluster), cause, severity=severity)


def cluster_of(name: str) -> Subject:
    """A cluster as a whole."""
    return Subject(system="kubernetes", kind="cluster", name=name)


def _unreadable(part: KubernetesSettings, problem: UpstreamError | CrewError) -> Finding:
    system = problem.system if isinstance(problem, UpstreamError) else "crew"
    subject = Subject(system=system, kind="system", scope=part.name, name="volumes")
    cause = f"The volumes of {part.name} cannot be watched: {problem}"[:400]
    return finding("SYSTEM_UNAVAILABLE", subject, cause, next_step=problem.hint)
