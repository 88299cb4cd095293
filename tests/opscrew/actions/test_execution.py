"""From proposal to outcome: what policy, people, budgets, failures and clocks make of an action."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from opscrew.actions.execution import Execution
from opscrew.actions.executor import Outcome
from opscrew.actions.lifecycle import TRANSITIONS, IllegalTransitionError, check_transition
from opscrew.actions.records import HeldBy
from opscrew.errors import CrewError, UsageError
from opscrew.model.action import ActionState as State
from opscrew.model.subject import Subject
from tests.support.actions import ListedSystem, rerun
from tests.support.databases import on_sqlite_alone
from tools.errors import TemporaryError

DOWN = TemporaryError("no answer", system="bitbucket")


def states(execution: Execution) -> list[str]:
    return [record.state.value for record in execution.list()]


def test_auto_is_sent_followed_and_ends_well(make) -> None:
    execution, system = make(), ListedSystem()
    assert execution.propose(rerun()).state is State.APPROVED
    (sent,) = execution.advance([system]).changed
    assert (sent.state, sent.receipt.external_id, sent.attempts) == (State.SENT, "run-of-#1", 1)
    assert execution.advance([system]).changed == ()
    system.result = Outcome(True, "it passed")
    (done,) = execution.advance([system]).changed
    assert (done.state, done.note) == (State.SUCCEEDED, "it passed")
    assert execution.advance([system]).changed == ()
    assert len(system.arrived) == 1


def test_the_same_intent_twice_is_one_action(make) -> None:
    execution, other = make(), make()
    with ThreadPoolExecutor(8) as pool:
        records = list(pool.map(lambda n: (execution, other)[n % 2].propose(rerun()), range(16)))
    assert len({record.id for record in records}) == 1
    assert len(execution.list()) == 1


def test_approve_waits_for_a_person(make) -> None:
    execution, system = make(policy={}), ListedSystem()
    waiting = execution.propose(rerun())
    assert (waiting.state, waiting.held_by) == (State.WAITING, HeldBy.POLICY)
    assert execution.advance([system]).changed == ()
    approved = execution.approve(waiting.id[:6], "ada")
    assert (approved.state, approved.approved_by) == (State.APPROVED, "ada")
    execution.advance([system])
    assert len(system.arrived) == 1
    with pytest.raises(CrewError, match="is sent, not waiting"):
        execution.approve(waiting.id, "bo")
    with pytest.raises(CrewError, match="already sent"):
        execution.deny(waiting.id, "bo")


@on_sqlite_alone
def test_denied_is_final(make) -> None:
    execution, system = make(policy={}), ListedSystem()
    denied = execution.deny(execution.propose(rerun()).id, "ada", "not today")
    assert (denied.state, denied.note) == (State.DENIED, "denied by ada: not today")
    execution.advance([system])
    assert execution.propose(rerun()).state is State.DENIED
    assert system.arrived == []


@on_sqlite_alone
def test_questions_and_approvals_expire(make, clock) -> None:
    execution, system = make(policy={}), ListedSystem()
    forgotten, approved = execution.propose(rerun(1)), execution.propose(rerun(2))
    execution.approve(approved.id, "ada")
    clock.forward(hours=13)
    with pytest.raises(CrewError, match="has expired"):
        execution.approve(forgotten.id, "ada")
    assert len(execution.advance([system]).changed) == 2
    assert states(execution) == ["expired", "expired"]
    assert system.arrived == []


@on_sqlite_alone
def test_off_is_refused_and_stays_so(make) -> None:
    execution = make(policy={"rerun_pipeline": {"acme/*": "auto", "acme/infra": "off"}})
    assert execution.propose(rerun(1)).state is State.APPROVED
    refused = execution.propose(rerun(2, "acme/infra"))
    assert refused.state is State.REFUSED
    assert "acme/infra" in refused.note


@on_sqlite_alone
def test_switched_off_after_approval_is_not_sent(make) -> None:
    system = ListedSystem()
    waiting = make(policy={}).propose(rerun())
    make(policy={}).approve(waiting.id, "ada")
    execution = make(policy={"rerun_pipeline": "off"})
    execution.advance([system])
    assert states(execution) == ["refused"]
    assert system.arrived == []


@on_sqlite_alone
def test_what_is_not_in_the_catalog_or_looks_like_a_secret_is_refused(make) -> None:
    execution = make()
    assert execution.propose(rerun(1).model_copy(update={"kind": "format_disk"})).state is State.REFUSED
    secret = rerun(2).model_copy(update={"parameters": rerun(2).parameters | {"commit": "password=hunter2secret"}})
    assert "looks like a secret" in execution.propose(secret).note
    bounds = rerun(3).model_copy(update={"parameters": rerun(3).parameters | {"build_number": 0}})
    assert "at least 1" in execution.propose(bounds).note


@on_sqlite_alone
def test_what_the_crew_cannot_do_is_proposed_only(make) -> None:
    execution = make(policy={"drain_runner": "auto"})
    runner = Subject(system="bitbucket", kind="runner", scope="acme", name="builder-1")
    action = rerun().model_copy(update={"kind": "drain_runner", "target": runner, "parameters": {"runner_uuid": "{1}"}})
    waiting = execution.propose(action)
    assert (waiting.state, waiting.held_by) == (State.WAITING, HeldBy.PEOPLE)
    with pytest.raises(CrewError, match="cannot carry out drain_runner itself"):
        execution.approve(waiting.id, "ada")


def test_a_used_up_budget_asks_a_person_who_may_say_yes(make, clock) -> None:
    execution = make(budget={"per_hour": 2, "cooldown_minutes": 0})
    system = ListedSystem()
    first = [execution.propose(rerun(n, f"acme/r{n}")) for n in range(1, 4)]
    assert [(one.state, one.held_by) for one in first][2] == (State.WAITING, HeldBy.BUDGET)
    execution.advance([system])
    execution.approve(first[2].id, "ada")
    execution.advance([system])
    assert len(system.arrived) == 3
    clock.forward(minutes=61)
    assert execution.propose(rerun(9, "acme/r9")).state is State.APPROVED


def test_a_commit_is_rerun_once_whoever_asks(make) -> None:
    execution, system = make(policy={}), ListedSystem()
    first, second = (execution.propose(rerun(n, commit="c" * 40)) for n in (1, 2))
    execution.approve(first.id, "ada")
    with pytest.raises(CrewError, match="cannot be approved: commit cccccccccccc has had its 1 action"):
        execution.approve(second.id, "ada")
    execution.advance([system])
    assert execution.propose(rerun(3, commit="c" * 40)).state is State.REFUSED
    assert len(system.arrived) == 1


@on_sqlite_alone
def test_the_cooldown_is_per_branch(make, clock) -> None:
    execution = make(budget={"cooldown_minutes": 10})
    assert execution.propose(rerun(1)).state is State.APPROVED
    assert execution.propose(rerun(2)).held_by is HeldBy.COOLDOWN
    assert execution.propose(rerun(3, branch="release")).state is State.APPROVED
    clock.forward(minutes=10)
    assert execution.propose(rerun(4)).state is State.APPROVED


@on_sqlite_alone
def test_quiet_hours_ask_instead_also_when_they_begin_before_sending(make, clock) -> None:
    execution, system = make(quiet_hours="13:00-15:00"), ListedSystem()
    early = execution.propose(rerun(1))
    clock.forward(minutes=90)
    late = execution.propose(rerun(2))
    assert (early.state, late.held_by) == (State.APPROVED, HeldBy.QUIET_HOURS)
    (held,) = execution.advance([system]).changed
    assert (held.id, held.state, held.held_by, held.approved_by) == (
        early.id,
        State.WAITING,
        HeldBy.QUIET_HOURS,
        "",
    )
    execution.approve(late.id, "ada")
    execution.advance([system])
    assert system.arrived == [late.action.idempotency_key]


@on_sqlite_alone
def test_dry_run_goes_all_the_way_but_sends_nothing(make) -> None:
    execution, system = make(dry_run=True, budget={"per_hour": 1}), ListedSystem()
    execution.propose(rerun(1))
    execution.advance([system])
    assert states(execution) == ["dry_run"]
    assert system.arrived == []
    assert execution.propose(rerun(2)).held_by is HeldBy.BUDGET


@on_sqlite_alone
def test_wrong_settings_are_told_before_anything_is_done(make) -> None:
    for wrong in ({"policy": {"rerun_pipelin": "auto"}}, {"quiet_hours": "at night"}):
        with pytest.raises(UsageError):
            make(**wrong)


def test_the_table_of_transitions_is_closed() -> None:
    assert set(TRANSITIONS) == set(State)
    assert all(not following for state, following in TRANSITIONS.items() if state.final)
    assert all(following for state, following in TRANSITIONS.items() if not state.final)
    with pytest.raises(IllegalTransitionError):
        check_transition(State.SENT, State.SENDING)
