"""What is still to be read, newest first, and what is forgotten. All of it is in rows: a restart goes on from here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, delete, func, select, update

from opscrew.ci_history.coverage import Coverage
from opscrew.ci_history.facts import FINISHED
from opscrew.store.database import reading
from opscrew.store.tables.ci_history import ci_coverage, ci_pipelines

_P = ci_pipelines.c
_WANTED = (_P.repository, _P.uuid, _P.number, _P.created_at)


@dataclass(frozen=True)
class Wanted:
    """A stored pipeline that is to be asked for."""

    repository: str
    uuid: str
    number: int
    created_at: datetime


def without_steps(engine: Engine, repositories: Collection[str], limit: int) -> list[Wanted]:
    """Finished pipelines whose steps nobody has read."""
    query = select(*_WANTED).where(_P.steps == "wanted", _P.state.in_(FINISHED), _P.repository.in_(list(repositories)))
    return _found(engine, query.order_by(_P.created_at.desc(), _P.id.desc()).limit(limit))


def not_over(engine: Engine, repositories: Collection[str], read_before: datetime, limit: int) -> list[Wanted]:
    """Pipelines that were not over when they were last read, which is some time ago."""
    query = select(*_WANTED).where(
        _P.state.not_in(FINISHED), _P.read_at < read_before, _P.repository.in_(list(repositories))
    )
    return _found(engine, query.order_by(_P.read_at).limit(limit))


def place_of(engine: Engine, known: Coverage) -> int:
    """How many pipelines of the repository are known to stand before the first that is not."""
    if known.complete_since is None:
        return 0
    query = select(func.count()).where(_P.repository == known.repository, _P.created_at >= known.complete_since)
    with reading(engine).connect() as connection:
        return int(connection.execute(query).scalar_one())


def touch(engine: Engine, repository: str, uuid: str, read_at: datetime) -> None:
    """It was asked for and is as it was, or could not be read: not again at once."""
    with engine.begin() as connection:
        chosen = update(ci_pipelines).where(_P.repository == repository, _P.uuid == uuid)
        connection.execute(chosen.values(read_at=read_at))


def forget_before(engine: Engine, before: datetime) -> int:
    """Deletes older pipelines with their steps, and says so in the coverage. Returns how many pipelines went."""
    with engine.begin() as connection:
        old = select(_P.repository).where(_P.created_at < before).distinct()
        cut = update(ci_coverage).where(ci_coverage.c.complete_since < before, ci_coverage.c.repository.in_(old))
        connection.execute(cut.values(complete_since=before))
        return int(connection.execute(delete(ci_pipelines).where(_P.created_at < before)).rowcount)


def _found(engine: Engine, query: object) -> list[Wanted]:
    with reading(engine).connect() as connection:
        return [Wanted(*row) for row in connection.execute(query)]  # type: ignore[call-overload]
