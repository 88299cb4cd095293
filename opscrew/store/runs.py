"""Writes and reads the run list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine, delete, select

from opscrew.model.run import Run, RunOutcome
from opscrew.store.database import reading
from opscrew.store.tables.runs import runs


def record_run(engine: Engine, run: Run) -> None:
    """Appends one run."""
    with engine.begin() as connection:
        connection.execute(runs.insert().values(**run.model_dump(mode="python")))


def latest_runs(engine: Engine, crew: str | None = None, limit: int = 20) -> list[Run]:
    """Newest first, of one crew or of all."""
    query = select(runs).order_by(runs.c.started_at.desc(), runs.c.id.desc()).limit(limit)
    if crew is not None:
        query = query.where(runs.c.crew == crew)
    with reading(engine).connect() as connection:
        return [
            Run(
                crew=row.crew,
                started_at=row.started_at,
                ended_at=row.ended_at,
                outcome=RunOutcome(row.outcome),
                summary=row.summary,
                unavailable=tuple(row.unavailable),
            )
            for row in connection.execute(query)
        ]


def forget_runs(engine: Engine, before: datetime) -> int:
    """Deletes runs that started before that time; returns how many."""
    with engine.begin() as connection:
        return int(connection.execute(delete(runs).where(runs.c.started_at < before)).rowcount)
