"""Keeps what ``polling.py`` works on: one row per repository and one per workspace. Restarts go on from here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, and_, delete, select

from opscrew.ci.watch.poll_bucket import Poller
from opscrew.ci.watch.polling import PollState, after_hint
from opscrew.store.database import reading, serialize_writers
from opscrew.store.tables.polling import poll_state, poller

POLLER_FIELDS = ("tokens", "counted_at", "listed_at", "all_listed_at", "recent")
FIELDS = ("repository", "polled_at", "active_at", "is_running", "hinted_at", "updated_on", "failures")


def load_states(engine: Engine, workspace: str) -> dict[str, PollState]:
    """Every known repository of the workspace, by slug."""
    query = select(*(poll_state.c[name] for name in FIELDS)).where(poll_state.c.workspace == workspace)
    with reading(engine).connect() as connection:
        return {row.repository: PollState(**row._mapping) for row in connection.execute(query)}


def load_poller(engine: Engine, workspace: str) -> Poller | None:
    """None before the first look."""
    query = select(*(poller.c[name] for name in POLLER_FIELDS)).where(poller.c.workspace == workspace)
    with reading(engine).connect() as connection:
        row = connection.execute(query).first()
    if row is None:
        return None
    recent = tuple((datetime.fromisoformat(moment), count) for moment, count in row.recent)
    return replace(Poller(**row._mapping), recent=recent)


def save(engine: Engine, workspace: str, states: Iterable[PollState], bucket: Poller) -> None:
    """Writes the given states and the bucket in one transaction; other repositories stay as they are.

    A hint that another process stored while the repository was being looked at is kept: the look may have been a
    moment too early.
    """
    given = {state.repository: state for state in states}
    with engine.begin() as connection:
        serialize_writers(connection, "polling")  # `crew run` may end in the same moment as the daemon's round
        if given:
            hints = select(poll_state.c.repository, poll_state.c.hinted_at).where(_of(workspace, given))
            for name, hinted_at in connection.execute(hints).all():
                looked_at = given[name].polled_at
                if hinted_at is not None and (looked_at is None or hinted_at > looked_at):
                    given[name] = after_hint(given[name], hinted_at)
            connection.execute(delete(poll_state).where(_of(workspace, given)))
            connection.execute(poll_state.insert(), [_row(workspace, state) for state in given.values()])
        connection.execute(delete(poller).where(poller.c.workspace == workspace))
        values: dict[str, object] = {name: getattr(bucket, name) for name in POLLER_FIELDS}
        values["recent"] = [(moment.isoformat(), count) for moment, count in bucket.recent]
        connection.execute(poller.insert().values(workspace=workspace, **values))


def forget(engine: Engine, workspace: str, repositories: Iterable[str]) -> None:
    """Removes repositories that are gone or no longer watched."""
    names = list(repositories)
    if names:
        with engine.begin() as connection:
            connection.execute(delete(poll_state).where(_of(workspace, names)))


def _row(workspace: str, state: PollState) -> dict[str, object]:
    return {"workspace": workspace, **{name: getattr(state, name) for name in FIELDS}}


def _of(workspace: str, names: Iterable[str]) -> ColumnElement[bool]:
    return and_(poll_state.c.workspace == workspace, poll_state.c.repository.in_(list(names)))
