"""Certificates that run out, read from resources that publish their end (cert-manager's ``status.notAfter``).

The certificates inside Secrets are not looked at: this program never reads Secrets.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from opscrew.cluster.conditions import read_conditions
from opscrew.cluster.custom.health import judge
from opscrew.cluster.custom.sign import Health
from opscrew.cluster.custom.tones import Tone, tone_of
from opscrew.cluster.problem import Problem
from opscrew.cluster.snapshot import Snapshot
from opscrew.cluster.thresholds import seconds, thresholds
from opscrew.model.finding import Severity
from opscrew.reading_time import minute
from tools.kubernetes.fields import moment, number, text
from tools.kubernetes.records import Resource

# Go's notation of a duration: "360h", "1h30m0s".
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


@dataclass(frozen=True)
class _Term:
    """``due`` is when it is to be renewed; ``announced`` whether its controller says so itself."""

    ends: datetime
    due: datetime
    announced: bool
    critical: timedelta

    @property
    def late(self) -> datetime:
        """From when on a renewal is overdue: one that was announced may take a while."""
        grace = min(seconds(thresholds().custom_progress_seconds), (self.ends - self.due) / 4)
        return self.due + grace if self.announced else self.due


def check_certificates(snapshot: Snapshot) -> Iterator[Problem]:
    """By the renewal that the controller announces; without one, a quarter of its life left (at most the days of
    ``thresholds.yaml``) is late."""
    if not snapshot.dated:
        return  # a file without a date cannot tell how much time is left
    for resource in snapshot.custom():
        term = _term_of(resource)
        if term is None or snapshot.now < min(term.late, term.ends):
            continue
        expired = term.ends <= snapshot.now
        if expired:
            cause = f"The certificate expired on {minute(term.ends)}."
        else:
            when = f" on {minute(term.due)}" if term.announced else " by now"
            cause = f"The certificate expires on {minute(term.ends)} and should have been renewed{when}."
        if why := _why_not(snapshot, resource):
            cause += f" {why}"
        severity = Severity.CRITICAL if term.ends - snapshot.now <= term.critical else None
        yield Problem("CERTIFICATE_EXPIRING", resource, "Expired" if expired else "Expiring", cause, severity=severity)


def _term_of(resource: Resource) -> _Term | None:
    ends, starts = moment(resource.status, "notAfter"), moment(resource.status, "notBefore")
    if ends is None:
        return None
    limits = thresholds()
    warning, critical = (
        timedelta(days=limits.certificate_warning_days),
        timedelta(days=limits.certificate_critical_days),
    )
    if starts is not None:
        warning, critical = min(warning, (ends - starts) / 4), min(critical, (ends - starts) / 10)
    due = moment(resource.status, "renewalTime") or _wished_renewal(resource, starts, ends)
    if due is None or due >= ends:
        return _Term(ends, ends - warning, announced=False, critical=critical)
    return _Term(ends, due, announced=True, critical=min(critical, (ends - due) / 2))


def _wished_renewal(resource: Resource, starts: datetime | None, ends: datetime) -> datetime | None:
    """By ``renewBefore`` or ``renewBeforePercentage`` of its spec."""
    share = number(resource.spec, "renewBeforePercentage")
    if share is not None and starts is not None:
        return ends - (ends - starts) * share / 100
    wished = text(resource.spec, "renewBefore")
    found = _DURATION.fullmatch(wished) if wished else None
    if found is None:
        return None
    hours, minutes, secs = (int(part or 0) for part in found.groups())
    return ends - timedelta(hours=hours, minutes=minutes, seconds=secs)


def _why_not(snapshot: Snapshot, resource: Resource) -> str:
    """What keeps the renewal: the text of the last object down the chain that it made for it, else its own."""
    for below in reversed(snapshot.descendants_of(resource)):
        sign = judge(below) if below.is_custom else None
        if sign is not None and sign.health > Health.ON_HOLD and sign.message:
            return f"{below.kind} {below.name}: {sign.message}"
    said = [c.message for c in read_conditions(resource.status) if tone_of(c.message) is Tone.FAILURE]
    return max(said, key=len, default="")  # the shorter one only says that it has expired
