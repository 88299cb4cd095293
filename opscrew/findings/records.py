"""What the ledger hands out: a finding with its story so far."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from opscrew.findings.life import FindingState
from opscrew.model.finding import Finding


@dataclass(frozen=True)
class Suppression:
    """A person's wish not to be told until a time, with the reason for others."""

    until: datetime
    reason: str
    who: str


@dataclass(frozen=True)
class LedgerEntry:
    """``occurrences`` counts how often it appeared since ``first_seen``, not the looks that saw it.

    Both begin anew when it comes back after it was resolved. ``sources`` names who sees it at present.
    """

    fingerprint: str
    finding: Finding
    state: FindingState
    occurrences: int
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    sources: tuple[str, ...]
    suppression: Suppression | None = None


@dataclass(frozen=True)
class Change:
    """One line of a finding's history: appeared, gone, flapping, calm, severity, suppressed, unsuppressed."""

    at: datetime
    change: str
    detail: str = ""


@dataclass(frozen=True)
class Changes:
    """What one look changed. Each finding that was seen, or went away, is in exactly one of the first five.

    ``new`` includes those that came back; ``flapping`` those that began to flap with this look (later looks count
    as ongoing); ``suppressed`` those that are there but muted. ``worsened`` repeats those that were there already
    and are now more severe.
    """

    new: tuple[LedgerEntry, ...] = ()
    ongoing: tuple[LedgerEntry, ...] = ()
    resolved: tuple[LedgerEntry, ...] = ()
    flapping: tuple[LedgerEntry, ...] = ()
    suppressed: tuple[LedgerEntry, ...] = ()
    worsened: tuple[LedgerEntry, ...] = ()
