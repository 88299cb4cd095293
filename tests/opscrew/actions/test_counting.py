"""The numbers on the status page and in the metrics are those of the recorded actions."""

from __future__ import annotations

from opscrew.actions.counting import count_actions
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import no_uptime
from tests.support.actions import rerun, settings_for_actions


def test_actions_are_counted_by_kind_and_state(database, clock) -> None:
    assert count_actions(database) == {}
    waiting = Execution(database, settings_for_actions(policy={"rerun_pipeline": "approve"}), clock, no_uptime)
    for number in (1, 2):
        waiting.propose(rerun(number))
    automatic = Execution(database, settings_for_actions(policy={"rerun_pipeline": "auto"}), clock, no_uptime)
    automatic.propose(rerun(3))
    assert count_actions(database) == {("rerun_pipeline", "waiting"): 2, ("rerun_pipeline", "approved"): 1}
