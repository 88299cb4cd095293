"""What people are told about actions: what waits, what is uncertain, what failed lately."""

from dataclasses import replace
from datetime import timedelta

import pytest

from opscrew.actions.findings import findings_of
from opscrew.actions.records import HeldBy
from opscrew.actions.uptime import Moment
from opscrew.model.action import ActionState as State
from tests.support.actions import rerun
from tests.support.databases import on_sqlite_alone

pytestmark = on_sqlite_alone


@pytest.fixture
def waiting(make):
    return make(policy={}).propose(rerun())


def told(record, now, **changes) -> list[tuple[str, str]]:
    return [(one.code, one.cause) for one in findings_of([replace(record, **changes)], now)]


def test_what_waits_is_told_with_what_it_waits_for(waiting, clock) -> None:
    ((code, cause),) = told(waiting, clock())
    assert (code, waiting.note in cause) == ("ACTION_WAITING", True)
    assert "it waits for a person" in cause
    (found,) = findings_of([waiting], clock())
    assert found.details == {"action": waiting.id, "kind": "rerun_pipeline", "reason": waiting.action.reason}
    assert (found.aspect, found.evidence) == (waiting.id, waiting.action.evidence)


@pytest.mark.parametrize(("count", "said"), [(1, "1 action waits"), (2, "2 actions wait")])
def test_a_budget_that_is_used_up_is_one_finding_beside_what_waits_for_it(waiting, clock, count, said) -> None:
    records = [replace(waiting, id=str(n), held_by=HeldBy.BUDGET, note=f"note {n}") for n in range(count)]
    found = findings_of(records, clock())
    assert [one.code for one in found] == ["ACTION_WAITING"] * count + ["BUDGET_EXHAUSTED"]
    assert found[-1].cause == f"{said}: note {count - 1}"
    assert found[-1].details == {"actions": [str(n) for n in range(count)]}
    assert len({one.fingerprint for one in found}) == count + 1


@pytest.mark.parametrize(("seconds", "note", "is_told"), [(300, "", False), (301, "", True), (0, "unknown", True)])
def test_what_is_being_sent_is_told_once_somebody_could_not_tell(waiting, clock, seconds, note, is_told) -> None:
    spent = Moment(clock() - timedelta(seconds=seconds))
    found = told(waiting, clock(), state=State.SENDING, spent=spent, note=note)
    assert [code for code, _ in found] == (["ACTION_UNCERTAIN"] if is_told else [])
    assert not found or (note or "its sender is gone") in found[0][1]


@pytest.mark.parametrize(("hours", "is_told"), [(23.99, True), (24, False)])
def test_what_failed_is_told_for_a_day_under_its_own_code(waiting, clock, hours, is_told) -> None:
    ended = {"state": State.FAILED, "finished_at": clock() - timedelta(hours=hours), "note": "403"}
    found = findings_of([replace(waiting, **ended)], clock())
    assert [(one.code, one.aspect) for one in found] == ([("CI_RERUN_FAILED", "")] if is_told else [])
    stop = waiting.action.model_copy(update={"kind": "stop_pipeline"})
    other = findings_of([replace(waiting, action=stop, **ended)], clock())
    assert [(one.code, one.aspect) for one in other] == ([("ACTION_FAILED", waiting.id)] if is_told else [])


def test_a_kind_that_the_catalog_lost_is_told_all_the_same(waiting, clock) -> None:
    action = waiting.action.model_copy(update={"kind": "format_disk"})
    ((code, cause),) = told(waiting, clock(), action=action, state=State.FAILED, finished_at=clock())
    assert (code, cause.startswith("format_disk: ")) == ("ACTION_FAILED", True)


def test_what_ended_well_is_not_told(waiting, clock) -> None:
    for state in (State.SUCCEEDED, State.DENIED, State.EXPIRED, State.REFUSED, State.DRY_RUN, State.SENT):
        assert told(waiting, clock(), state=state, finished_at=clock()) == []
