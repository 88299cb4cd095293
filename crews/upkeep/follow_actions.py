"""Carries on with every action there is: sends what was approved, follows what was sent, says what waits.

A crew of its own, so that an approval given in the evening is carried out although the crew that proposed it has
nothing new to look at, and so that what is uncertain is never forgotten.
"""

from __future__ import annotations

from datetime import timedelta

from crews.actions.connected import connected_executors
from crews.runtime.context import CrewContext
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.findings import findings_of, observe_audit
from opscrew.actions.lifecycle import OPEN_STATES
from opscrew.actions.verification import verify
from opscrew.ci.rerun.proposal import KIND as RERUN
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState
from opscrew.model.run import Run, RunOutcome

RECENT = timedelta(days=1)


def run(context: CrewContext) -> Run:
    """One round over all actions."""
    started = context.clock()
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    executors = connected_executors(context)
    moved = execution.advance(executors)
    ledger = Ledger(context.engine, context.clock)
    if moved.audit_doubted:
        observe_audit(ledger, verify(context.engine, context.settings.data_dir / FILE_NAME))
    problems = moved.problems + execution.stranded(executors)
    now = context.clock()
    failed = execution.finished_since(now - RECENT, (ActionState.FAILED,))
    # The CI watch tells a failed re-run as what it is: a branch that still fails.
    ended = [one for one in failed if one.action.kind != RERUN]
    told = findings_of([*execution.in_states(OPEN_STATES), *ended], now)
    ledger.observe("actions", told, complete=True)
    summary = f"{len(moved.changed)} actions moved on"
    if problems:
        summary += f", {len(problems)} could not: {problems[0]}"
    return Run(
        crew="action_upkeep",
        started_at=started,
        ended_at=max(started, now),
        outcome=RunOutcome.PARTIAL if problems else RunOutcome.OK,
        summary=summary,
    )
