"""CPU throttling: containers that the kernel holds back because of their CPU limit.

The API server does not know about it. The numbers come from cAdvisor's ``container_cpu_cfs_throttled_periods_total``
and ``container_cpu_cfs_periods_total`` through a metrics store; whoever queries it hands plain records over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from opscrew.cluster.thresholds import thresholds
from opscrew.cluster.workloads.throttling_coverage import throttling_subject
from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class ThrottledContainer:
    """``throttled_share`` is throttled periods over all periods of the window, 0 to 1. ``limit_cores`` is the CPU limit
    and ``used_cores`` the mean use, None where unknown. ``workload`` is "Deployment/shop", or empty for a bare pod.
    ``periods`` is how many there were, None where unknown."""

    namespace: str
    pod: str
    container: str
    throttled_share: float
    workload: str = ""
    limit_cores: float | None = None
    used_cores: float | None = None
    periods: float | None = None


def throttling_findings(
    rows: Iterable[ThrottledContainer], cluster: str, now: datetime, source: str = "victoriametrics"
) -> list[Finding]:
    """One finding per workload and container, about its worst pod; worst first."""
    limits = thresholds()
    worst: dict[tuple[str, str, str], ThrottledContainer] = {}
    pods: dict[tuple[str, str, str], int] = {}
    for row in rows:
        if row.throttled_share * 100 < limits.throttled_warning_percent:
            continue
        if row.periods is not None and row.periods < limits.throttled_fewest_periods:
            continue
        group = (row.namespace, row.workload or f"Pod/{row.pod}", row.container)
        pods[group] = pods.get(group, 0) + 1
        if group not in worst or row.throttled_share > worst[group].throttled_share:
            worst[group] = row
    ordered = sorted(worst.items(), key=lambda item: -item[1].throttled_share)
    return [_finding(group, row, pods[group], cluster, now, source) for group, row in ordered]


def _finding(
    group: tuple[str, str, str], row: ThrottledContainer, pods: int, cluster: str, now: datetime, source: str
) -> Finding:
    namespace, workload, container = group
    percent = row.throttled_share * 100
    limit = f" of {row.limit_cores:g} cores" if row.limit_cores is not None else ""
    cause = f"Container {container} is held back in {percent:.0f} % of its periods by its CPU limit{limit}."
    used = f", mean use {row.used_cores:.2f} cores" if row.used_cores is not None else ""
    critical = percent >= thresholds().throttled_critical_percent
    return finding(
        "CONTAINER_THROTTLED",
        throttling_subject(cluster, namespace, workload),
        cause,
        severity=Severity.CRITICAL if critical else None,
        reason="CPUThrottling",
        aspect=container,
        evidence=[Evidence(source=source, text=f"worst pod {row.pod}: {percent:.0f} %{used}", observed_at=now)],
        details={
            "namespace": namespace,
            "throttled_percent": round(percent, 1),
            "limit_cores": row.limit_cores,
            "pods": pods,
        },
    )
