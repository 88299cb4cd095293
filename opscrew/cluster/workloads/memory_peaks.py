"""The peak of memory beside an OOM kill: how near to its limit a container came before it was killed.

The API server does not know it. The numbers come from cAdvisor's ``container_memory_working_set_bytes`` through a
metrics store; whoever queries it hands plain numbers over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from opscrew.cluster.quantities import parse_quantity
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding

CODE = "CONTAINER_OOM_KILLED"
MIB = 1024 * 1024

Peaks = Mapping[tuple[str, str, str], float]
"""Bytes by namespace, pod and container."""


def namespaces_of_kills(findings: Iterable[Finding]) -> list[str]:
    """Where something was killed, each once."""
    return list(dict.fromkeys(str(one.details["namespace"]) for one in findings if one.code == CODE))


def with_peaks(findings: Iterable[Finding], peaks: Peaks, now: datetime, why_unknown: str = "") -> list[Finding]:
    """The same findings; those about an OOM kill say the highest reading of their pods, or why there is none."""
    return [_with_peak(one, peaks, now, why_unknown) if one.code == CODE else one for one in findings]


def _with_peak(finding: Finding, peaks: Peaks, now: datetime, why_unknown: str) -> Finding:
    namespace, container = str(finding.details["namespace"]), finding.aspect
    pods = [finding.subject.name, *(str(one["name"]) for one in finding.details["affected"])]
    found = [peaks[key] for pod in pods if (key := (namespace, pod, container)) in peaks]
    if not found:
        words = f"the peak is not known: {why_unknown or 'there are no readings of this container'}"
        return _told(finding, f"memory of {container}: {words}", now)
    peak = max(found)
    limit = parse_quantity(str(finding.details.get("memory_limit") or ""))
    share = f", {Decimal(peak) / limit:.0%} of its limit of {finding.details['memory_limit']}" if limit else ""
    # A scrape every half a minute misses the last moment, so the reading may be well below the limit.
    words = f"highest reading {peak / MIB:.0f} MiB{share}; a jump between two readings is not seen"
    told = _told(finding, f"memory of {container}: {words}", now)
    return told.model_copy(update={"details": {**told.details, "memory_peak_bytes": int(peak)}})


def _told(finding: Finding, text: str, now: datetime) -> Finding:
    line = Evidence(source="victoriametrics", text=text, observed_at=now)
    return finding.model_copy(update={"evidence": (*finding.evidence[:1], line, *finding.evidence[1:])})
