"""Which actions there are: all of them for work, the latest for people, counted and chosen by the database.

Actions are never forgotten, so whoever wants "all" must say of which state, time or finding.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Column, ColumnElement, Connection, and_, func, or_, select, true

from opscrew.actions.records import ActionRecord
from opscrew.actions.rows import record_from
from opscrew.model.action import ActionState
from opscrew.store.database import chunks
from opscrew.store.tables.actions import actions


def in_states(connection: Connection, states: Collection[ActionState], kind: str = "") -> list[ActionRecord]:
    """Every action in one of these states, the oldest first: for work, of which nothing may be left out."""
    query = select(actions).where(actions.c.state.in_([state.value for state in states]))
    if kind:
        query = query.where(actions.c.kind == kind)
    return [record_from(row) for row in connection.execute(query.order_by(actions.c.proposed_at, actions.c.id))]


def latest(connection: Connection, states: Collection[ActionState], limit: int) -> list[ActionRecord]:
    """The ``limit`` latest actions in any of these states (empty: all), the latest proposed last: for people."""
    query = select(actions).order_by(actions.c.proposed_at.desc(), actions.c.id.desc()).limit(limit)
    if states:
        query = query.where(actions.c.state.in_([state.value for state in states]))
    return [record_from(row) for row in connection.execute(query)][::-1]


def finished_since(connection: Connection, since: datetime, states: Collection[ActionState]) -> list[ActionRecord]:
    """Actions that ended in one of these states at or after a time, the oldest first."""
    query = select(actions).where(
        actions.c.finished_at >= since, actions.c.state.in_([state.value for state in states])
    )
    return [record_from(row) for row in connection.execute(query.order_by(actions.c.proposed_at, actions.c.id))]


def by_id(connection: Connection, ids: Collection[str]) -> list[ActionRecord]:
    """Those of ``ids`` that exist."""
    return _among(connection, actions.c.id, ids)


def for_findings(connection: Connection, fingerprints: Collection[str]) -> list[ActionRecord]:
    """Every action that answered one of these findings."""
    return _among(connection, actions.c.finding, fingerprints)


def _among(connection: Connection, column: Column[str], values: Collection[str]) -> list[ActionRecord]:
    ordered = select(actions).order_by(actions.c.proposed_at, actions.c.id)
    return [
        record_from(row)
        for chunk in chunks(sorted(values))
        for row in connection.execute(ordered.where(column.in_(chunk)))
    ]


def concerning(
    names: Iterable[Collection[str]], start: datetime | None, end: datetime, *, also_waiting: bool
) -> ColumnElement[bool]:
    """Actions on what is named (one of each group), proposed in this span; ``also_waiting``: or that wait still."""
    named = and_(true(), *(or_(*map(_named, group)) for group in names))
    if start is None:
        return named
    then = and_(actions.c.proposed_at >= start, actions.c.proposed_at <= end)
    return and_(named, or_(then, actions.c.state == ActionState.WAITING.value) if also_waiting else then)


def count_by_state(connection: Connection, wanted: ColumnElement[bool]) -> dict[str, int]:
    """How many there are in each state, the most first; none is left out."""
    query = select(actions.c.state, func.count()).where(wanted).group_by(actions.c.state)
    return {state: count for state, count in connection.execute(query.order_by(func.count().desc(), actions.c.state))}


def waiting_first(connection: Connection, wanted: ColumnElement[bool], limit: int) -> list[ActionRecord]:
    """What a person must decide, then the latest."""
    order = ((actions.c.state == ActionState.WAITING.value).desc(), actions.c.proposed_at.desc(), actions.c.id)
    return [record_from(row) for row in connection.execute(select(actions).where(wanted).order_by(*order).limit(limit))]


def _named(name: str) -> ColumnElement[bool]:
    """The target has this name, or lies in a place of this name."""
    scope = actions.c.scope
    return or_(
        actions.c.name == name,
        scope == name,
        scope.startswith(f"{name}/", autoescape=True),
        scope.endswith(f"/{name}", autoescape=True),
        scope.contains(f"/{name}/", autoescape=True),
    )
