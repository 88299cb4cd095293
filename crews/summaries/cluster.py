"""Puts a cluster's present state together with what its metrics say and what the ledger remembers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Engine

from crews.runtime.cluster_metrics import look_for_throttling
from crews.runtime.clusters import choose_clusters, open_access, snapshot_of
from crews.runtime.systems import Systems
from crews.storage_growth.job import enlarged_at, judge, problem_of, volumes_in
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import machine_uptime
from opscrew.clock import Clock, utc_now
from opscrew.cluster.assessment import assess
from opscrew.cluster.report.noise import load_noise
from opscrew.cluster.report.summary import ClusterSummary, Measured
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.workloads.throttling import throttling_findings
from opscrew.errors import CrewError
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import OPEN
from opscrew.metrics import Metrics
from opscrew.model.coverage import Coverage, Gap, is_hidden
from opscrew.model.finding import Finding
from opscrew.settings import KubernetesSettings, Settings
from opscrew.storage.trouble import CODES
from opscrew.store.text import storable
from tools.errors import UpstreamError
from tools.kubernetes.client import KubernetesClient
from tools.kubernetes.sweep import read_cluster

_NEW = timedelta(days=1)

UNCONFIGURED = "it is not in crew.yaml, so nobody knows which series are its own"


def summarise(
    settings: Settings, engine: Engine, cluster: str = "", clock: Clock = utc_now
) -> Iterator[ClusterSummary]:
    """One summary per configured cluster, or of the named one. Reads only; the ledger is not changed."""
    noise = load_noise(settings.cluster_noise)
    ledger = Ledger(engine, clock)
    execution = Execution(engine, settings, clock, machine_uptime)
    with Systems(settings, clock, Metrics()) as systems:
        for part in choose_clusters(settings, cluster):
            with KubernetesClient(open_access(part)) as client:
                snapshot = snapshot_of(read_cluster(client, part.namespaces), clock())
            assessment = assess(snapshot, noise, part.name)
            yield ClusterSummary(
                part.name,
                snapshot.now,
                assessment,
                _new(ledger, assessment.problems, clock),
                _throttling(systems, part, snapshot, ledger),
                _volumes(systems, part, snapshot, ledger, execution),
            )


def _throttling(systems: Systems, part: KubernetesSettings, snapshot: Snapshot, ledger: Ledger) -> Measured:
    if _is_stranger(systems, part):
        return Measured((), Coverage(0, (Gap("CPU throttling", UNCONFIGURED),)))
    found = look_for_throttling(systems, part, snapshot)
    told = throttling_findings(found.containers, part.name, snapshot.now)
    return _with_hidden(ledger, part.name, ("CONTAINER_THROTTLED",), told, found.coverage)


def _volumes(
    systems: Systems, part: KubernetesSettings, snapshot: Snapshot, ledger: Ledger, execution: Execution
) -> Measured:
    try:
        if _is_stranger(systems, part):
            raise CrewError(UNCONFIGURED)
        facts = volumes_in(systems, part, snapshot, enlarged_at(execution))
    except (UpstreamError, CrewError) as problem:
        return _with_hidden(ledger, part.name, CODES, (), Coverage(0, (Gap("volumes", storable(str(problem))),)))
    judged = [one for one in judge(facts.volumes, snapshot.now) if one.trouble is not None]
    told = [problem_of(one, snapshot.now) for one in judged]
    return _with_hidden(ledger, part.name, CODES, told, facts.coverage)


def _is_stranger(systems: Systems, part: KubernetesSettings) -> bool:
    return bool(systems.settings.kubernetes) and part not in systems.settings.kubernetes


def _with_hidden(
    ledger: Ledger, cluster: str, codes: Sequence[str], told: Sequence[Finding], coverage: Coverage
) -> Measured:
    """What is seen now, and what was seen before and cannot be seen now."""
    now = {one.fingerprint for one in told}
    hidden = [
        entry.finding
        for code in codes
        for entry in ledger.list(OPEN, code=code)
        if entry.fingerprint not in now
        and entry.finding.subject.scope.split("/")[0] == cluster
        and is_hidden(entry.finding.subject, coverage.gaps)
    ]
    return Measured((*told, *hidden), coverage)


def _new(ledger: Ledger, problems: Sequence[Finding], clock: Clock) -> list[Finding]:
    """Problems that the ledger has not known for a day."""
    known = ledger.find([problem.fingerprint for problem in problems])
    return [
        problem
        for problem in problems
        if problem.fingerprint not in known or clock() - known[problem.fingerprint].first_seen <= _NEW
    ]
