"""Certificates that run out, read from resources that publish their end (cert-manager's ``status.notAfter``).

The certificates inside Secrets are not looked at: this program never reads Secrets.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import thresholds
from opscrew.model.finding import Severity
from opscrew.reading_time import minute
from tools.kubernetes.fields import moment


def check_certificates(snapshot: Snapshot) -> Iterator[Problem]:
    """Short-lived certificates are measured by their own life: a third of it left is the renewal time."""
    if not snapshot.dated:
        return  # a file without a date cannot tell how much time is left
    limits = thresholds()
    for resource in snapshot.custom():
        ends, starts = moment(resource.status, "notAfter"), moment(resource.status, "notBefore")
        if ends is None:
            continue
        left = ends - snapshot.now
        warning, critical = (
            timedelta(days=limits.certificate_warning_days),
            timedelta(days=limits.certificate_critical_days),
        )
        if starts is not None:
            warning, critical = min(warning, (ends - starts) / 4), min(critical, (ends - starts) / 10)
        if left > warning:
            continue
        if left <= timedelta():
            cause = f"The certificate expired on {minute(ends)}."
        else:
            cause = f"The certificate expires on {minute(ends)} and should have been renewed by now."
        severity = Severity.CRITICAL if left <= critical else None
        yield Problem(
            "CERTIFICATE_EXPIRING", resource, "Expired" if left <= timedelta() else "Expiring", cause, severity=severity
        )
