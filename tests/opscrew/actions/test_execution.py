"""From proposal to outcome: what policy, people, budgets, failures and clocks make of an action."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.executor import Outcome, SendRefusedError
from opscrew.actions.lifecycle import TRANSITIONS, IllegalTransitionError, check_transition
from opscrew.actions.records import HeldBy
from opscrew.actions.uptime import Uptime, no_uptime
from opscrew.actions.verification import verify
from opscrew.errors import CrewError, UsageError
from opscrew.model.action import ActionState as State
from opscrew.model.subject import Subject
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tools.errors import PermanentError, TemporaryError

DOWN = TemporaryError("no answer", system="bitbucket")


on_sqlite_alone = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
"""For what is the same code on both databases: a new PostgreSQL database takes longer than the test."""


@pytest.fixture
def make(database, clock, tmp_path):
    """Makes executions on the same database; each is another process as far as the journal can tell."""

    def _make(uptime=no_uptime, **settings) -> Execution:
        return Execution(database, settings_for_actions(**settings), clock, uptime)

    yield _make
    # Whatever a test did, the audit log must be whole and agree with the journal.
    assert verify(database, tmp_path / "crew-data" / FILE_NAME).problems == ()


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
def test_a_precondition_refuses_with_its_reason(make) -> None:
    execution, system = make(), ListedSystem(objection="#9 is newer")
    execution.propose(rerun())
    (refused,) = execution.advance([system]).changed
    assert (refused.state, refused.note) == (State.REFUSED, "#9 is newer")
    assert system.arrived == []


@on_sqlite_alone
def test_a_definite_refusal_fails_at_once(make) -> None:
    execution, system = make(), ListedSystem(before_arrival=SendRefusedError("403 no permission"))
    execution.propose(rerun())
    (failed,) = execution.advance([system]).changed
    assert (failed.state, failed.note) == (State.FAILED, "refused: 403 no permission")


@pytest.mark.parametrize("error", [DOWN, PermanentError("not JSON", system="bitbucket")])
def test_a_lost_answer_is_looked_up_never_sent_again(make, clock, error) -> None:
    execution, system = make(), ListedSystem(after_arrival=error)
    execution.propose(rerun())
    execution.advance([system])
    assert states(execution) == ["sending"]
    assert execution.advance([system]).changed == ()  # the system may still be at it
    clock.forward(seconds=31)
    (found,) = execution.advance([system]).changed
    assert (found.state, found.receipt.external_id) == (State.SENT, "run-of-#1")
    assert len(system.arrived) == 1
    assert system.asked_since[0] <= clock() - timedelta(hours=1)


def test_a_lost_request_is_sent_again_only_once_the_system_says_so(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    execution.advance([system])
    system.before_arrival, system.when_asked = None, DOWN
    for _ in range(3):
        clock.forward(minutes=5)
        execution.advance([system])
    assert states(execution) == ["sending"]
    assert system.arrived == []
    system.when_asked = None
    execution.advance([system])
    assert states(execution) == ["sent"]
    assert len(system.arrived) == 1


@on_sqlite_alone
def test_a_system_that_is_down_for_long_does_not_fill_the_audit_log(make, clock, database) -> None:
    from opscrew.actions.audit import head

    execution, system = make(), ListedSystem(before_arrival=DOWN, when_asked=DOWN)
    execution.propose(rerun())
    for _ in range(20):
        execution.advance([system])
        clock.forward(minutes=5)
    with database.connect() as connection:
        assert head(connection).number < 6


@on_sqlite_alone
def test_what_never_arrives_is_given_up(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    for _ in range(10):
        execution.advance([system])
        clock.forward(minutes=1)
    (record,) = execution.list()
    assert (record.state, record.attempts) == (State.FAILED, 3)
    assert "never arrived" in record.note


@on_sqlite_alone
def test_an_outcome_that_never_comes_is_a_failure(make, clock) -> None:
    execution, system = make(), ListedSystem()
    execution.propose(rerun())
    execution.advance([system])
    clock.forward(hours=25)
    (failed,) = execution.advance([system]).changed
    assert (failed.state, failed.note) == (State.FAILED, "no outcome within 24 hours")


@on_sqlite_alone
def test_a_mistake_in_one_executor_stops_nobody_else(make) -> None:
    execution = make()
    system = ListedSystem(before_arrival=KeyError("surprise"))
    execution.propose(rerun(1))
    problems = execution.advance([system]).problems
    assert len(problems) == 1
    assert "KeyError" in problems[0]
    assert states(execution) == ["sending"]


@on_sqlite_alone
def test_a_system_that_is_not_connected_is_named(make) -> None:
    execution = make()
    execution.propose(rerun(1))
    (problem,) = execution.stranded([])
    assert "bitbucket is not connected" in problem
    assert execution.stranded([ListedSystem()]) == ()


@on_sqlite_alone
def test_a_crew_that_knows_one_kind_leaves_the_others_alone(make) -> None:
    execution = make()
    execution.propose(rerun(1))
    moved = execution.advance([])
    assert (moved.changed, moved.problems) == ((), ())
    assert states(execution) == ["approved"]


def test_several_processes_send_each_action_once(make) -> None:
    workers = [make() for _ in range(4)]
    system = ListedSystem()
    for n in range(12):
        workers[0].propose(rerun(n + 1, f"acme/r{n}"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda worker: worker.advance([system]), workers * 2))
    assert len(system.arrived) == 12
    assert len(set(system.arrived)) == 12


@on_sqlite_alone
def test_a_living_sender_is_not_disturbed_and_a_dead_one_is_replaced(make, clock) -> None:
    execution, system = make(), ListedSystem(after_arrival=KeyError("killed"))
    execution.propose(rerun())
    execution.advance([system])  # the sender is still named, as after a kill
    system.after_arrival = None
    clock.forward(seconds=90)
    assert make().advance([system]).changed == ()
    clock.forward(seconds=31)
    (found,) = make().advance([system]).changed
    assert found.state is State.SENT
    assert len(system.arrived) == 1


def test_a_receipt_that_comes_after_others_gave_up_on_the_sender_is_kept(make, clock) -> None:
    slow, quick = make(), make()
    system = ListedSystem()

    class SlowSystem(ListedSystem):
        def send(self, action):
            clock.forward(minutes=3)
            quick.advance([system])  # finds the lease over, is told that nothing arrived, and sends
            return replace(super().send(action), external_id="second")

    slow.propose(rerun())
    slow.advance([SlowSystem()])
    (record,) = slow.list()
    assert (record.state, record.receipt.external_id) == (State.SENT, "run-of-#1")
    assert "late answer says second" in record.note


def test_a_clock_set_forward_opens_no_budget_and_takes_no_sender_for_dead(make, clock) -> None:
    uptime = [Uptime("boot", 1000.0)]
    execution = make(lambda: uptime[0], budget={"per_hour": 1})
    system = ListedSystem(after_arrival=KeyError("killed"))
    first = execution.propose(rerun(1))
    execution.advance([system])
    clock.forward(days=3)  # while the machine ran on for a minute
    uptime[0] = Uptime("boot", 1060.0)
    assert execution.propose(rerun(2)).held_by is HeldBy.BUDGET
    execution.advance([system])
    assert execution.get(first.id).state is State.SENDING
    uptime[0] = Uptime("boot", 5000.0)
    assert execution.propose(rerun(3)).state is State.APPROVED


@pytest.mark.parametrize("uptime", [no_uptime, lambda: Uptime("boot", 1000.0)])
def test_a_clock_set_back_opens_no_budget_either(make, clock, uptime) -> None:
    execution = make(uptime, budget={"per_hour": 1})
    execution.propose(rerun(1))
    clock.forward(hours=-5)
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
