"""Keeps every finding's life: takes what a source sees now, and says what is new, what is over, what flaps.

A source is whatever looks as a whole: a crew, or a crew and one of its systems ("ci_watch/acme/shop"). It says
whether its look was complete, and which subjects it could not measure. Only a complete look may resolve, and only
what it measured: what did not answer, or is no longer reported, never makes a finding disappear.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, or_, select, true, update

from opscrew.clock import Clock
from opscrew.errors import CrewError, NotFoundError
from opscrew.findings import rows
from opscrew.findings.life import OPEN, FindingState, lifetimes
from opscrew.findings.look import Look
from opscrew.findings.records import Change, Changes, LedgerEntry
from opscrew.findings.unseen import not_hidden
from opscrew.model.coverage import Gap
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.reading_time import minute
from opscrew.store.database import reading
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.findings import finding_changes, findings
from opscrew.store.text import LONGEST_SENTENCE, storable

NEVER_LISTED_AT_ONCE = 10_000
"""Upper bound of one list, so that a runaway crew cannot make `crew findings` eat all memory."""


class Ledger:
    """Safe to use from several processes: each observation is one transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._limits = lifetimes()

    def observe(
        self,
        source: str,
        seen: Iterable[Finding],
        *,
        complete: bool,
        gone: Collection[str] = (),
        gaps: Collection[Gap] = (),
    ) -> Changes:
        """Records one look of ``source``. With ``complete=False`` nothing is resolved but ``gone``: fingerprints of
        findings that this look has shown to be over. Of a complete look, nothing is resolved that ``gaps`` hide."""
        now = self._clock()
        current = {finding.fingerprint: finding for finding in seen}
        with self._engine.begin() as connection:
            rows.serialize(connection)
            known = rows.present_or_named(connection, current)
            counts = rows.recent_changes(connection, now - self._limits.flapping_window)
            look = Look(source, now, self._limits)
            for fingerprint, finding in current.items():
                look.saw(finding, known.get(fingerprint), counts.get(fingerprint, 0))
            unseen = {fingerprint: row for fingerprint, row in known.items() if fingerprint not in current}
            over = not_hidden(connection, unseen, source, gaps) if complete else ()
            for fingerprint in unseen.keys() & {*over, *gone}:
                look.missed(known[fingerprint], counts.get(fingerprint, 0))
            rows.write(connection, look.inserts, look.updates, look.missing)
            rows.write_history(connection, look.history)
            touched = rows.entries(connection, look.touched, now)
        return look.changes(touched)

    def get(self, prefix: str) -> LedgerEntry:
        """The finding whose fingerprint starts with ``prefix``. ``CrewError`` when none or several do."""
        with reading(self._engine).connect() as connection:
            fingerprint = find_by_prefix(connection, findings.c.fingerprint, prefix, noun="finding")
            return rows.entries(connection, [fingerprint], self._clock())[fingerprint]

    def list(
        self,
        states: Collection[FindingState] = (),
        *,
        severities: Collection[Severity] = (),
        system: str = "",
        code: str = "",
        also: Iterable[ColumnElement[bool]] = (),
        limit: int | None = NEVER_LISTED_AT_ONCE,
    ) -> Sequence[LedgerEntry]:
        """The most severe first, then the latest seen. Empty filters mean all; ``also`` holds those of ``rows``."""
        now = self._clock()
        wanted = _wanted(states, severities, system, code, now)
        query = rows.gravest_first(select(findings).where(wanted, *also)).limit(limit)
        with reading(self._engine).connect() as connection:
            return rows.read(connection, query, now)

    def open(self) -> Sequence[LedgerEntry]:
        """What is wrong now and not muted, all of it."""
        return self.list(OPEN, limit=None)

    def count(
        self,
        states: Collection[FindingState] = (),
        *,
        severities: Collection[Severity] = (),
        system: str = "",
        code: str = "",
        also: Iterable[ColumnElement[bool]] = (),
    ) -> dict[Severity, int]:
        """How many ``list`` would give without a limit, by severity."""
        wanted = and_(_wanted(states, severities, system, code, self._clock()), *also)
        with reading(self._engine).connect() as connection:
            return rows.count_by_severity(connection, wanted)

    def find(self, fingerprints: Collection[str]) -> dict[str, LedgerEntry]:
        """Those of these findings that are known, by fingerprint."""
        with reading(self._engine).connect() as connection:
            return rows.entries(connection, fingerprints, self._clock())

    def subjects(self) -> Sequence[Subject]:
        """What any finding is or was about, the latest first."""
        with reading(self._engine).connect() as connection:
            return rows.subjects(connection)

    def history(self, fingerprint: str) -> Sequence[Change]:
        """Every change of one finding, oldest first."""
        query = (
            select(finding_changes).where(finding_changes.c.fingerprint == fingerprint).order_by(finding_changes.c.id)
        )
        with reading(self._engine).connect() as connection:
            return [Change(row.at, row.change, row.detail) for row in connection.execute(query)]

    def suppress(self, fingerprint: str, until: datetime, reason: str, who: str) -> None:
        """Mutes one finding until a time. It goes on being observed, and speaks again when the time is over."""
        now = self._clock()
        if until <= now:
            raise CrewError("the end of a suppression must lie ahead", "Give a duration such as 7d or 12h.")
        if not reason.strip():
            raise CrewError("a suppression needs a reason", "Others will want to know why it is quiet.")
        values = {
            "suppressed_until": until,
            "suppressed_reason": storable(reason, LONGEST_SENTENCE),
            "suppressed_by": storable(who, 128),
        }
        detail = f"until {minute(until)} by {who}: {reason}"
        self._mark(fingerprint, values, Change(now, "suppressed", detail))

    def unsuppress(self, fingerprint: str, who: str) -> None:
        """Ends a suppression early."""
        values = {"suppressed_until": None, "suppressed_reason": "", "suppressed_by": ""}
        self._mark(fingerprint, values, Change(self._clock(), "unsuppressed", f"by {who}"))

    def forget_old(self) -> int:
        """Deletes what was resolved more than ``keep_days`` ago, and what is open and was not seen for far longer.
        Returns how many findings went."""
        now = self._clock()
        before = now - self._limits.keep
        with self._engine.begin() as connection:
            gone = connection.execute(delete(findings).where(rows.forgettable(before, now - self._limits.keep_unseen)))
            connection.execute(delete(finding_changes).where(finding_changes.c.at < before))
        return int(gone.rowcount)

    def _mark(self, fingerprint: str, values: dict[str, Any], change: Change) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(findings).where(findings.c.fingerprint == fingerprint).values(**values)
            ).rowcount
            if not changed:
                raise NotFoundError(f"there is no finding {fingerprint}", "`crew findings --state all` lists them.")
            rows.write_history(connection, [(fingerprint, change)])


def _wanted(
    states: Collection[FindingState], severities: Collection[Severity], system: str, code: str, now: datetime
) -> ColumnElement[bool]:
    wanted: list[ColumnElement[bool]] = []
    if states:
        wanted.append(or_(*(rows.in_state(state, now) for state in states)))
    if severities:
        wanted.append(findings.c.severity.in_(list(severities)))
    if system:
        wanted.append(findings.c.system == system)
    if code:
        wanted.append(findings.c.code == code)
    return and_(true(), *wanted)
