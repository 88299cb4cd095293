"""Remembers what ended outages, so that a restart does not hold back re-runs of what has long been over."""

from __future__ import annotations

from datetime import datetime
from importlib import import_module

from sqlalchemy import Engine, delete, select

from opscrew.ci.rerun.history import sightings_since
from opscrew.ci.rerun.outage import LOOK_BACK, Outage, Passed, outages
from opscrew.store.database import reading
from opscrew.store.tables.ci import ci_passes


def current_outages(engine: Engine, now: datetime) -> dict[str, Outage]:
    """What goes on at ``now``, by signature."""
    since = now - LOOK_BACK
    query = select(ci_passes).where(ci_passes.c.started_at >= since)
    with reading(engine).connect() as connection:
        passes = [Passed(row.signature, row.pipeline, row.started_at) for row in connection.execute(query)]
    return {outage.signature: outage for outage in outages(sightings_since(engine, since), now, passes)}


def record_pass(engine: Engine, passed: Passed) -> None:
    """Notes a pipeline that got through. Recording it twice changes nothing. Older ones are of no use any more."""
    dialect = import_module(f"sqlalchemy.dialects.{engine.dialect.name}")
    values = {"signature": passed.signature, "pipeline": passed.pipeline_key, "started_at": passed.started_at}
    with engine.begin() as connection:
        connection.execute(delete(ci_passes).where(ci_passes.c.started_at < passed.started_at - LOOK_BACK))
        connection.execute(dialect.insert(ci_passes).values(**values).on_conflict_do_nothing())
