"""How many actions stand where: for the metrics and the status page."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Engine, func, select

from opscrew.model.action import ActionState
from opscrew.store.database import reading
from opscrew.store.tables.actions import actions


def count_actions(engine: Engine) -> dict[tuple[str, str], int]:
    """Recorded actions by (kind, state); what does not occur is left out."""
    query = select(actions.c.kind, actions.c.state, func.count()).group_by(actions.c.kind, actions.c.state)
    with reading(engine).connect() as connection:
        return {(kind, state): count for kind, state, count in connection.execute(query)}


def count_in_states(engine: Engine, states: Collection[ActionState]) -> int:
    """How many actions are in any of these states; empty means all."""
    return sum(count for (_, state), count in count_actions(engine).items() if not states or state in states)
