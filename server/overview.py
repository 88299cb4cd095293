"""What the daemon knows at this moment, gathered for the status page, the status API and the metrics."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from crews.runtime.context import CrewContext
from opscrew.actions.counting import count_actions
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import OPEN
from opscrew.model.action import ActionState
from opscrew.model.run import Run
from opscrew.store.runs import latest_runs
from server.context import ServerContext
from server.scheduler import JobState

RUNS_SHOWN = 20


def open_by_severity(context: CrewContext) -> dict[str, int]:
    """Open findings, every severity named so that a count that fell to zero is told as zero."""
    counted = Ledger(context.engine, context.clock).count(OPEN)
    return {severity.value: count for severity, count in counted.items()}


def overview(context: ServerContext) -> dict[str, Any]:
    """Plain JSON values, times in ISO 8601 in the configured zone."""
    crews, zone = context.crews, context.crews.settings.zone

    def shown(moment: datetime | None) -> str | None:
        return moment.astimezone(zone).isoformat(timespec="seconds") if moment else None

    def job(state: JobState) -> dict[str, Any]:
        return {
            "crew": state.crew,
            "title": state.title,
            "state": "off" if state.missing else "running" if state.running_seconds is not None else "waiting",
            "not_configured": list(state.missing),
            "next_run_at": shown(state.next_run),
            "running_seconds": None if state.running_seconds is None else round(state.running_seconds, 1),
        }

    def run(record: Run) -> dict[str, Any]:
        return {
            "crew": record.crew,
            "started_at": shown(record.started_at),
            "seconds": round((record.ended_at - record.started_at).total_seconds(), 1),
            "outcome": record.outcome.value,
            "summary": record.summary,
            "unavailable": list(record.unavailable),
        }

    return {
        "now": shown(crews.clock()),
        "started_at": shown(context.started_at),
        "scheduler_running": context.scheduler.running,
        "dry_run": crews.settings.dry_run,
        "watches_nothing": crews.settings.watches_nothing,
        "crews": [job(state) for state in context.scheduler.states()],
        "open_findings": open_by_severity(crews),
        "actions_waiting": sum(
            count for (_, state), count in count_actions(crews.engine).items() if state == ActionState.WAITING
        ),
        "runs": [run(record) for record in latest_runs(crews.engine, limit=RUNS_SHOWN)],
    }
