"""Keeps the database small and honest: forgets what is too old to matter, and checks the audit log."""

from __future__ import annotations

from datetime import timedelta

from crews.ci_history.seen import keep_since
from crews.runtime.context import CrewContext
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.findings import observe_audit
from opscrew.actions.verification import verify
from opscrew.ci.rerun.history import RESCUES_COUNT_FOR, forget_before
from opscrew.ci_history import wanted
from opscrew.findings.ledger import Ledger
from opscrew.model.run import Run, RunOutcome
from opscrew.store.runs import forget_runs
from opscrew.store.space import give_back_space

KEEP_RUNS = timedelta(days=40)
"""Longer than a month, since a monthly crew's last run tells whether one was missed. A crew that runs every minute
writes 57,600 runs in that time, some 15 MB. Audited actions are never forgotten."""

SHRINK_SECONDS = 5
"""For giving space back to the disk: below the ten seconds after which a waiting writer gives up."""


def run(context: CrewContext) -> Run:
    """Deletes old runs, and findings that are long over (``lifetimes.yaml`` says how long), and gives their space back.
    An audit log that was tampered with becomes the finding AUDIT_BROKEN."""
    started = context.clock()
    runs = forget_runs(context.engine, started - KEEP_RUNS)
    ledger = Ledger(context.engine, context.clock)
    findings = ledger.forget_old()
    forget_before(context.engine, started - RESCUES_COUNT_FOR)
    if context.settings.bitbucket is not None:
        wanted.forget_before(context.engine, keep_since(context))
    given_back = give_back_space(context.engine, SHRINK_SECONDS) // 1_048_576
    check = verify(context.engine, context.settings.data_dir / FILE_NAME)
    observe_audit(ledger, check)
    audit = "intact" if check.intact else "BROKEN"
    space = f" The file shrank by {given_back} MiB." if given_back else ""
    return Run(
        crew="housekeeping",
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.OK,
        summary=f"Forgot {runs} runs and {findings} old findings; the audit log is {audit}.{space}",
    )
