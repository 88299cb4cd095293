"""Puts a cluster's present state together with what the findings ledger remembers of yesterday."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import Engine

from crews.cluster_sweep import sweep_clusters
from opscrew.clock import Clock, utc_now
from opscrew.cluster.assessment import Assessment, assess
from opscrew.cluster.noise import load_noise
from opscrew.cluster.summary import ClusterSummary
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import OPEN
from opscrew.findings.records import LedgerEntry
from opscrew.model.finding import Finding
from opscrew.settings import Settings

_NEW = timedelta(days=1)


def summarise(
    settings: Settings, engine: Engine, cluster: str = "", clock: Clock = utc_now
) -> Iterator[ClusterSummary]:
    """One summary per configured cluster, or of the named one. Reads only; the ledger is not changed."""
    noise = load_noise(settings.cluster_noise)
    ledger = Ledger(engine, clock)
    for name, snapshot in sweep_clusters(settings, cluster, clock):
        assessment = assess(snapshot, noise, name)
        known = ledger.find([problem.fingerprint for problem in assessment.problems])
        throttled = [entry for entry in ledger.list(OPEN, code="CONTAINER_THROTTLED") if _is_of(entry.finding, name)]
        yield ClusterSummary(
            name,
            snapshot.now,
            assessment,
            _new(assessment, known, snapshot.now),
            [entry.finding for entry in throttled],
            throttling_known=settings.victoriametrics is not None,
        )


def _new(assessment: Assessment, known: dict[str, LedgerEntry], now: datetime) -> list[Finding]:
    """Problems that the ledger has not known for a day."""
    return [
        problem
        for problem in assessment.problems
        if problem.fingerprint not in known or now - known[problem.fingerprint].first_seen <= _NEW
    ]


def _is_of(finding: Finding, cluster: str) -> bool:
    return finding.subject.scope.split("/")[0] == cluster
