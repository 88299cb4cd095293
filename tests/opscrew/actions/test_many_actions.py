"""Past any number of actions nothing vanishes: work is chosen by state, the oldest first, and SQL counts."""

from datetime import timedelta

import pytest

from opscrew.actions.anchor import FILE_NAME, Anchor, set_anchor
from opscrew.actions.audit import BEGINNING, Head
from opscrew.actions.counting import count_in_states
from opscrew.actions.execution import Execution
from opscrew.actions.lifecycle import OPEN_STATES
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from opscrew.model.action import ActionState as State
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone
from tests.support.multitudes import write_actions

MANY = 1_500

pytestmark = on_sqlite_alone


@pytest.fixture
def execution(database, clock, tmp_path) -> Execution:
    set_anchor(tmp_path / "crew-data" / FILE_NAME, Anchor(Head(0, BEGINNING)))
    budget = {"cooldown_minutes": 0, "per_repository_hour": 1_000, "per_hour": 1_000}
    return Execution(database, settings_for_actions(budget=budget), clock, no_uptime)


def test_what_waits_longest_is_neither_lost_nor_last(execution, database, clock) -> None:
    ids = write_actions(database, MANY, clock())
    write_ids = [one.id for one in execution.in_states(OPEN_STATES)]
    assert write_ids == ids
    assert [one.id for one in execution.list(limit=2)] == ids[-2:], "people see the latest"
    assert count_in_states(database, OPEN_STATES) == count_in_states(database, ()) == MANY
    clock.forward(hours=13)
    assert len(execution.advance([]).changed) == MANY, "every one expires"


def test_the_oldest_approved_goes_first_and_a_thousand_that_run_do_not_hide_it(
    execution, database, clock, tmp_path
) -> None:
    ids = write_actions(database, MANY, clock(), "sent", spent_at=clock() - timedelta(hours=20))
    system = ListedSystem()
    for number in (1, 2):
        clock.forward(seconds=1)
        execution.propose(rerun(number, "acme/new"))
    asked: list[str] = []
    system.outcome = lambda action, receipt: asked.append(action.target.scope)
    execution.advance([system])
    assert system.arrived == [rerun(number, "acme/new").idempotency_key for number in (1, 2)]
    assert asked == [f"acme/repo{number}" for number in range(1, MANY + 1)], "each is followed, the oldest first"
    assert execution.in_states([State.SENT])[0].id == ids[0]
    assert verify(database, tmp_path / "crew-data" / FILE_NAME).problems == ()


def test_of_old_ones_those_that_ended_lately_and_those_of_a_kind_are_found(execution, database, clock) -> None:
    ids = write_actions(database, MANY, clock(), "succeeded")
    clock.forward(hours=1)
    execution.deny(execution.propose(rerun(9, "acme/late")).id, "ada")
    ended = execution.finished_since(clock(), [State.DENIED, State.SUCCEEDED])
    assert [one.action.target.scope for one in ended] == ["acme/late"]
    assert [one.id for one in execution.in_states([State.SUCCEEDED], "rerun_pipeline")] == ids
    assert execution.in_states([State.SUCCEEDED], "stop_pipeline") == []
