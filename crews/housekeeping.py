"""Keeps the database small and honest: forgets what is too old to matter, and checks the audit log."""

from __future__ import annotations

from datetime import timedelta

from crews.context import CrewContext
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.findings import audit_finding
from opscrew.actions.verification import verify
from opscrew.ci.history import RESCUES_COUNT_FOR, forget_before
from opscrew.findings.ledger import Ledger
from opscrew.model.run import Run, RunOutcome
from opscrew.store.runs import forget_runs

KEEP_RUNS = timedelta(days=40)
"""Longer than a month, since a monthly crew's last run tells whether one was missed. A crew that runs every minute
writes 57,600 runs in that time, some 15 MB. Audited actions are never forgotten."""


def run(context: CrewContext) -> Run:
    """Deletes old runs, and findings that were resolved long ago (``lifetimes.yaml`` says how long). An audit log that
    was tampered with becomes the finding AUDIT_BROKEN."""
    started = context.clock()
    runs = forget_runs(context.engine, started - KEEP_RUNS)
    ledger = Ledger(context.engine, context.clock)
    findings = ledger.forget_old()
    forget_before(context.engine, started - RESCUES_COUNT_FOR)
    broken = audit_finding(verify(context.engine, context.settings.data_dir / FILE_NAME))
    ledger.observe("audit", [broken] if broken else [], complete=True)
    audit = "BROKEN" if broken else "intact"
    return Run(
        crew="housekeeping",
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.OK,
        summary=f"Forgot {runs} runs and {findings} resolved findings; the audit log is {audit}.",
    )
