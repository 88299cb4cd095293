"""Carries on with every action there is: sends what was approved, follows what was sent, says what waits.

A crew of its own, so that an approval given in the evening is carried out although the crew that proposed it has
nothing new to look at, and so that what is uncertain is never forgotten.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from crews.context import CrewContext
from crews.executors.connected import connected_executors
from opscrew.actions.execution import Execution
from opscrew.actions.findings import findings_of
from opscrew.actions.records import ActionRecord
from opscrew.ci.rerun import KIND as RERUN
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
    problems = moved.problems + execution.stranded(executors)
    now = context.clock()
    told = findings_of((one for one in execution.list() if _is_worth_telling(one, now - RECENT)), now)
    Ledger(context.engine, context.clock).observe("actions", told, complete=True)
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


def _is_worth_telling(record: ActionRecord, since: datetime) -> bool:
    if not record.state.final:
        return True
    if record.state is ActionState.FAILED and record.action.kind == RERUN:
        return False  # the CI watch tells it as what it is: a branch that still fails
    return record.finished_at is not None and record.finished_at >= since
