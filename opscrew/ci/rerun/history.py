"""Remembers where each signature was seen and whether a re-run rescued it, so that a restart forgets neither.

Recording the same thing twice changes nothing: a sweep that is repeated, or a crash between two steps, counts once.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, Table, delete, func, select

from opscrew.ci.judge.hosts import is_public
from opscrew.ci.rerun.outage import Sighting
from opscrew.ci.rerun.success_rate import RescueRecord
from opscrew.store.database import reading
from opscrew.store.tables.ci import LONGEST_HOST, ci_rescues, ci_sightings

RESCUES_COUNT_FOR = timedelta(days=90)
"""Older re-runs say little about today: what broke then was mended or replaced, and a demotion must be able to end."""


def record_sighting(engine: Engine, sighting: Sighting) -> None:
    """Notes that ``sighting.signature`` explained that pipeline's failure. The first time counts."""
    _insert_once(
        engine,
        ci_sightings,
        signature=sighting.signature,
        pipeline=sighting.pipeline_key,
        seen_at=sighting.seen_at,
    )


def sightings_since(engine: Engine, since: datetime) -> list[Sighting]:
    """All sightings at or after ``since``, oldest first."""
    query = select(ci_sightings).where(ci_sightings.c.seen_at >= since).order_by(ci_sightings.c.seen_at)
    with reading(engine).connect() as connection:
        return [Sighting(row.signature, row.pipeline, row.seen_at) for row in connection.execute(query)]


def record_rescue(  # noqa: PLR0913  each is a column
    engine: Engine, signature: str, repository: str, *, pipeline_key: str, passed: bool, at: datetime, host: str = ""
) -> None:
    """Notes how the re-run of ``pipeline_key`` ended, which ``signature`` had led to, and which ``host`` the failure
    had named. The first time counts."""
    _insert_once(
        engine,
        ci_rescues,
        signature=signature,
        repository=repository,
        pipeline=pipeline_key,
        passed=passed,
        decided_at=at,
        host=host[:LONGEST_HOST],
    )


def rescue_record(engine: Engine, signature: str, repository: str, now: datetime) -> RescueRecord:
    """Re-runs of the last ``RESCUES_COUNT_FOR`` that ``signature`` led to in ``repository`` ("acme/shop")."""
    query = (
        select(ci_rescues.c.passed, func.count())
        .where(ci_rescues.c.signature == signature, ci_rescues.c.repository == repository)
        .where(ci_rescues.c.decided_at > now - RESCUES_COUNT_FOR)
        .group_by(ci_rescues.c.passed)
    )
    with reading(engine).connect() as connection:
        counted = {bool(passed): int(count) for passed, count in connection.execute(query)}
    return RescueRecord(passed=counted.get(True, 0), failed=counted.get(False, 0))


def host_stays_broken(engine: Engine, workspace: str, host: str, now: datetime) -> bool:
    """Whether the last re-run in the workspace after a failure that named ``host`` failed again.

    A public service has bad hours and comes back, so nothing of the kind is held against one.
    """
    if not host or is_public(host):
        return False
    query = (
        select(ci_rescues.c.passed)
        .where(ci_rescues.c.host == host[:LONGEST_HOST])
        .where(ci_rescues.c.repository.startswith(f"{workspace}/", autoescape=True))
        .where(ci_rescues.c.decided_at > now - RESCUES_COUNT_FOR)
        .order_by(ci_rescues.c.decided_at.desc(), ci_rescues.c.id.desc())
        .limit(1)
    )
    with reading(engine).connect() as connection:
        return connection.execute(query).scalar() is False


def forget_before(engine: Engine, before: datetime) -> int:
    """Deletes what is older than ``before``; returns how many rows went."""
    with engine.begin() as connection:
        old_sightings = connection.execute(delete(ci_sightings).where(ci_sightings.c.seen_at < before))
        old_rescues = connection.execute(delete(ci_rescues).where(ci_rescues.c.decided_at < before))
        return old_sightings.rowcount + old_rescues.rowcount


def _insert_once(engine: Engine, table: Table, **values: Any) -> None:
    # The one that the engine has imported already; the other takes longer than most commands.
    dialect = import_module(f"sqlalchemy.dialects.{engine.dialect.name}")
    with engine.begin() as connection:
        connection.execute(dialect.insert(table).values(**values).on_conflict_do_nothing())
