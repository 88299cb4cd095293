"""One observation on its way into the ledger: what it writes, and how what it saw is sorted."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from opscrew.findings import rows
from opscrew.findings.life import FindingState, Life, Lifetimes, next_life
from opscrew.findings.records import Change, Changes, LedgerEntry
from opscrew.model.finding import Finding, Severity


class Look:
    """Collects what one observation does to the tables, and sorts the outcome."""

    def __init__(self, source: str, now: datetime, limits: Lifetimes) -> None:
        self.source = source
        self.now = now
        self._limits = limits
        self.inserts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.missing: list[dict[str, Any]] = []
        self.history: list[tuple[str, Change]] = []
        self.began: dict[str, FindingState] = {}
        self.worse: set[str] = set()

    @property
    def touched(self) -> Collection[str]:
        return self.began.keys()

    def saw(self, finding: Finding, row: Row[Any] | None, recent: int) -> None:
        life = next_life(_life(row), True, self.now, recent, self._limits)
        values = rows.values_of(finding) | {
            "state": life.state,
            "present": True,
            "changed_at": life.changed_at,
            "resolved_at": None,
        }
        if row is None:
            values |= rows.first_values(self.source, self.now)
            self.inserts.append(values)
        else:
            # What was over and comes back is a new life: it begins now, and the old one stands in the history.
            begins = row.state == FindingState.RESOLVED
            values |= {
                "sources": sorted({*row.sources, self.source}),
                "occurrences": 1 if begins else row.occurrences + _appears(row, values["occasion"]),
                "first_seen": self.now if begins else row.first_seen,
                # A clock that was set back must not make a finding look unseen.
                "last_seen": max(row.last_seen, self.now),
            }
            self.updates.append(values)
            self._note_severity(finding, row)
        self._note(finding.fingerprint, row, life)

    def missed(self, row: Row[Any], recent: int) -> None:
        """The source looked completely and did not see it. It is gone only when no other source sees it either."""
        if self.source not in row.sources:
            return
        others = [source for source in row.sources if source != self.source]
        if row.present and others:
            self.missing.append(_standing(row) | {"sources": others})
            return
        life = next_life(_life(row), False, self.now, recent, self._limits)
        # The last source stays named: while it flaps, that source's later looks decide when it has been calm.
        self.missing.append(
            _standing(row)
            | {
                "state": life.state,
                "present": False,
                "changed_at": life.changed_at,
                "resolved_at": self.now if life.state is FindingState.RESOLVED else None,
            }
        )
        self._note(row.fingerprint, row, life)

    def changes(self, entries: dict[str, LedgerEntry]) -> Changes:
        groups: dict[FindingState, list[LedgerEntry]] = {state: [] for state in FindingState}
        for fingerprint, state in self.began.items():
            entry = entries[fingerprint]
            muted = entry.state is FindingState.SUPPRESSED
            groups[FindingState.SUPPRESSED if muted else state].append(entry)
        return Changes(
            new=tuple(groups[FindingState.NEW]),
            ongoing=tuple(groups[FindingState.ONGOING]),
            resolved=tuple(groups[FindingState.RESOLVED]),
            flapping=tuple(groups[FindingState.FLAPPING]),
            suppressed=tuple(groups[FindingState.SUPPRESSED]),
            worsened=tuple(entries[f] for f in self.worse if entries[f].state is not FindingState.SUPPRESSED),
        )

    def _note(self, fingerprint: str, row: Row[Any] | None, life: Life) -> None:
        came_or_went = row is None or life.present != row.present
        was_flapping = row is not None and row.state == FindingState.FLAPPING
        if came_or_went:
            self.history.append((fingerprint, Change(self.now, "appeared" if life.present else "gone", self.source)))
        flaps = life.state is FindingState.FLAPPING
        if flaps != was_flapping:
            self.history.append((fingerprint, Change(self.now, "flapping" if flaps else "calm")))
        if flaps and was_flapping:
            if life.present:
                self.began[fingerprint] = FindingState.ONGOING  # told once, when it began
            return
        self.began[fingerprint] = life.state

    def _note_severity(self, finding: Finding, row: Row[Any]) -> None:
        before = Severity(row.severity)
        if finding.severity is not before:
            self.history.append((finding.fingerprint, Change(self.now, "severity", f"{before} to {finding.severity}")))
        if row.present and finding.severity.rank > before.rank:
            self.worse.add(finding.fingerprint)


def _standing(row: Row[Any]) -> dict[str, Any]:
    """The columns that a missed look may change, as they are."""
    names = ("fingerprint", "sources", "state", "present", "changed_at", "resolved_at")
    return {name: getattr(row, name) for name in names}


def _appears(row: Row[Any], occasion: str) -> bool:
    """Whether this look shows more than the one before: it came back, or it happened once more."""
    return not row.present or bool(occasion and occasion != row.occasion)


def _life(row: Row[Any] | None) -> Life | None:
    return None if row is None else Life(FindingState(row.state), row.present, row.changed_at)
