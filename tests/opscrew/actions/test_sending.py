"""From approval to outcome: sent once, looked up after trouble, followed, and given up when nobody can be asked."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from opscrew.actions.execution import Execution
from opscrew.actions.executor import SendRefusedError
from opscrew.actions.findings import findings_of
from opscrew.actions.records import HeldBy
from opscrew.actions.uptime import Uptime, no_uptime
from opscrew.model.action import ActionState as State
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone
from tools.errors import PermanentError, TemporaryError

DOWN = TemporaryError("no answer", system="bitbucket")


def refused(words: str, seconds: float | None = None) -> TemporaryError:
    return TemporaryError(words, system="bitbucket", retry_after=seconds, not_accepted=True)


def states(execution: Execution) -> list[str]:
    return [record.state.value for record in execution.list()]


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
    assert (failed.state, failed.note, failed.sender) == (State.FAILED, "refused: 403 no permission", "")
    assert failed.finished_at is not None


@pytest.mark.parametrize("error", [DOWN, PermanentError("not JSON", system="bitbucket")])
def test_a_lost_answer_is_looked_up_never_sent_again(make, clock, error) -> None:
    execution, system = make(), ListedSystem(after_arrival=error)
    execution.propose(rerun())
    execution.advance([system])
    assert states(execution) == ["sending"]
    assert execution.advance([system]).changed == ()  # the system may still be at it
    clock.forward(seconds=30)
    (found,) = execution.advance([system]).changed
    assert (found.state, found.receipt.external_id) == (State.SENT, "run-of-#1")
    assert len(system.arrived) == 1
    assert system.asked_since[0] <= clock() - timedelta(hours=1)


@on_sqlite_alone
def test_the_time_to_settle_begins_when_the_request_was_given_up(make, clock, monkeypatch) -> None:
    execution, system = make(), ListedSystem()

    def slow(_action: object) -> None:
        clock.forward(seconds=50)
        raise DOWN

    monkeypatch.setattr(system, "send", slow)
    execution.propose(rerun())
    execution.advance([system])
    assert execution.advance([system]).changed == ()
    assert system.asked_since == [], "the system may still be at it"
    clock.forward(seconds=31)
    assert states(execution) == ["sending"]
    execution.advance([system])
    assert len(system.asked_since) == 1


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
    for _ in range(4):
        execution.advance([system])
        assert states(execution) == ["sending"], "one look is not enough"
    execution.advance([system])
    assert states(execution) == ["sent"]
    assert len(system.arrived) == 1


@on_sqlite_alone
@pytest.mark.parametrize("minutes", [0, 1, 4, 9])
def test_what_is_accepted_and_listed_late_is_not_sent_again(make, clock, minutes: int) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    action = rerun()
    execution.propose(action)
    execution.advance([system])
    system.before_arrival = AssertionError("sent again")
    for step in range(20):
        clock.forward(seconds=60)
        if step == minutes:
            system.arrived.append(action.idempotency_key)
        execution.advance([system])
    (record,) = execution.list()
    assert (record.state, record.attempts) == (State.SENT, 1)
    assert record.note == "found again: started"


@on_sqlite_alone
def test_while_it_is_looked_for_a_person_is_told(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    execution.advance([system])
    for _ in range(3):
        clock.forward(minutes=2)
        execution.advance([system])
    (told,) = findings_of(execution.list(), clock())
    assert told.code == "ACTION_UNCERTAIN"
    assert "looked for 3 times and not seen yet" in told.cause


@on_sqlite_alone
def test_it_is_looked_for_often_enough_after_a_long_pause_too(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    execution.advance([system])
    clock.forward(hours=2)  # the daemon was down
    for _ in range(4):
        clock.forward(minutes=1)
        make().advance([system])
    assert states(execution) == ["sending"]
    system.before_arrival = None
    make().advance([system])
    assert states(execution) == ["sent"]


@on_sqlite_alone
def test_refusals_for_the_moment_are_no_attempts_and_are_tried_again_ever_later(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=refused("429 too many requests"))
    start = clock()
    execution.propose(rerun())
    tried: list[int] = []

    def refusing(_action: object) -> None:
        tried.append(round((clock() - start).total_seconds() / 60))
        raise refused("429 too many requests")

    real, system.send = system.send, refusing
    for _ in range(90):
        execution.advance([system])
        clock.forward(minutes=1)
    (record,) = execution.list()
    assert tried == [0, 1, 3, 7, 15, 31, 61]
    assert (record.state, record.attempts, record.refusals) == (State.APPROVED, 0, 7)
    assert record.note == "refused for now (bitbucket: 429 too many requests); tried again from 13:31 UTC on"
    system.before_arrival, system.send = None, real
    clock.forward(minutes=30)
    execution.advance([system])
    (record,) = execution.list()
    assert (record.state, record.attempts) == (State.SENT, 1)


@on_sqlite_alone
def test_a_pause_that_the_system_names_is_kept_and_a_clock_set_back_does_not_stretch_it(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=refused("429", 600.0))
    execution.propose(rerun())
    execution.advance([system])
    system.before_arrival = None
    clock.forward(minutes=9)
    assert execution.advance([system]).changed == ()
    clock.forward(hours=-3)
    execution.advance([system])
    assert states(execution) == ["sent"]


@on_sqlite_alone
def test_what_is_refused_until_nobody_waits_for_it_ends_with_the_reason(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=refused("503 maintenance"))
    execution.propose(rerun())
    for _ in range(13):
        execution.advance([system])
        clock.forward(minutes=30)
    (record,) = execution.list()
    assert record.state is State.EXPIRED
    assert record.note.startswith("not sent within 6 h: refused for now (bitbucket: 503 maintenance)")
    assert record.finished_at is not None


@on_sqlite_alone
def test_what_a_person_approved_is_sent_for_as_long_as_the_approval_holds(make, clock) -> None:
    execution, system = make(policy={"rerun_pipeline": "approve"}), ListedSystem()
    record = execution.propose(rerun())
    clock.forward(hours=7)
    execution.approve(record.id, "ada")
    clock.forward(hours=7)
    execution.advance([system])
    assert states(execution) == ["sent"]


@on_sqlite_alone
def test_each_request_that_got_lost_is_looked_for_anew(make, clock) -> None:
    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    for _ in range(14):
        execution.advance([system])
        clock.forward(minutes=1)
    (record,) = execution.list()
    assert (record.state, record.attempts, record.looks) == (State.SENDING, 2, 1)


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
def test_what_never_arrives_is_given_up(make, clock, database) -> None:
    from opscrew.actions.audit import head

    execution, system = make(), ListedSystem(before_arrival=DOWN)
    execution.propose(rerun())
    for _ in range(80):
        execution.advance([system])
        clock.forward(minutes=1)
    (record,) = execution.list()
    assert (record.state, record.attempts) == (State.FAILED, 5)
    assert "never arrived" in record.note
    with database.connect() as connection:
        assert head(connection).number < 45, "not an entry for every look"


@on_sqlite_alone
def test_an_outcome_that_never_comes_is_a_failure(make, clock) -> None:
    execution, system = make(), ListedSystem()
    execution.propose(rerun())
    execution.advance([system])
    clock.forward(hours=25)
    (failed,) = execution.advance([system]).changed
    assert (failed.state, failed.note) == (State.FAILED, "no outcome within 24 hours")


@on_sqlite_alone
def test_a_system_that_never_answers_again_is_not_asked_for_ever(make, clock, monkeypatch) -> None:
    execution, system = make(), ListedSystem()
    execution.propose(rerun())
    execution.advance([system])

    def gone(*_: object) -> None:
        raise PermanentError("404 not found", system="bitbucket")

    monkeypatch.setattr(system, "outcome", gone)
    clock.forward(hours=23)
    moved = execution.advance([system])
    assert (moved.changed, len(moved.problems)) == ((), 1)
    clock.forward(hours=2)
    (failed,) = execution.advance([system]).changed
    assert failed.state is State.FAILED
    assert failed.note == "no outcome within 24 hours: bitbucket: 404 not found"
    assert execution.advance([system]) == execution.advance([])


@on_sqlite_alone
def test_what_nobody_can_tell_of_is_given_up_and_never_sent_again(make, clock) -> None:
    execution, system = make(), ListedSystem(after_arrival=DOWN, when_asked=DOWN)
    execution.propose(rerun())
    for _ in range(24):
        execution.advance([system])
        assert states(execution) == ["sending"]
        clock.forward(hours=1)
    (failed,) = execution.advance([system]).changed
    assert failed.state is State.FAILED
    assert "nobody knows whether it arrived" in failed.note
    assert len(system.arrived) == 1


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
            for _ in range(5):  # finds the lease over, is told each time that nothing arrived, and sends in the end
                clock.forward(minutes=3)
                quick.advance([system])
            return replace(super().send(action), external_id="second")

    slow.propose(rerun())
    slow.advance([SlowSystem()])
    (record,) = slow.list()
    assert (record.state, record.receipt.external_id) == (State.SENT, "run-of-#1")
    assert "late answer says second" in record.note


@on_sqlite_alone
def test_a_receipt_that_comes_while_others_look_for_it_settles_the_matter(make, clock) -> None:
    slow, quick = make(), make()

    class SlowSystem(ListedSystem):
        def send(self, action):
            clock.forward(minutes=3)
            quick.advance([ListedSystem()])  # looks, and does not see it
            return super().send(action)

    slow.propose(rerun())
    slow.advance([SlowSystem()])
    (record,) = slow.list()
    assert (record.state, record.receipt.external_id, record.note) == (State.SENT, "run-of-#1", "started")


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
@pytest.mark.parametrize(("seconds", "sent"), [(60.0, True), (60.001, False)])
def test_a_sender_that_was_held_up_for_half_its_lease_does_not_send(
    make, database, clock, monkeypatch, seconds, sent
) -> None:
    """Somebody else may soon take it for dead, and would send too."""
    passed = [1000.0]
    monkeypatch.setattr("opscrew.actions.sending.time", SimpleNamespace(monotonic=lambda: passed[0]))

    def wait(step: str) -> None:
        if step == "intent_recorded":
            passed[0] += seconds

    slow = Execution(database, settings_for_actions(), clock, no_uptime, checkpoint=wait)
    system = ListedSystem()
    slow.propose(rerun())
    (record,) = slow.advance([system]).changed
    assert record.state is (State.SENT if sent else State.SENDING)
    assert len(system.arrived) == sent
    if not sent:
        assert (record.note, record.sender) == ("held up before sending", "")
        for _ in range(15):
            clock.forward(minutes=1)
            make().advance([system])
        assert len(system.arrived) == 1, "the next one looks for it long enough, and sends"


@on_sqlite_alone
@pytest.mark.parametrize(("lost", "seconds"), [(DOWN, 30), (KeyError("killed"), 120)])
def test_recovery_begins_at_the_very_end_of_waiting(make, clock, lost, seconds) -> None:
    execution, system = make(), ListedSystem(after_arrival=lost)
    execution.propose(rerun())
    clock.forward(minutes=10)  # it counts from when sending began, not from when it was approved
    execution.advance([system])
    clock.forward(seconds=seconds, microseconds=-1)
    execution.advance([system])
    assert system.asked_since == []
    clock.forward(microseconds=1)
    execution.advance([system])
    assert len(system.asked_since) == 1


@on_sqlite_alone
@pytest.mark.parametrize("set_back", [timedelta(hours=-5), timedelta(hours=5)])
def test_the_system_is_asked_from_the_earliest_of_proposing_and_sending(make, clock, set_back) -> None:
    uptime = [Uptime("boot", 1000.0)]
    execution, system = make(lambda: uptime[0]), ListedSystem(after_arrival=DOWN)
    proposed_at = execution.propose(rerun()).proposed_at
    clock.now += set_back
    execution.advance([system])
    uptime[0] = Uptime("boot", 1031.0)
    execution.advance([system])
    assert system.asked_since == [min(proposed_at, proposed_at + set_back) - timedelta(hours=1)]


@on_sqlite_alone
def test_a_failed_action_uses_up_its_budgets(make) -> None:
    execution = make(budget={"per_hour": 1})
    execution.propose(rerun(1, commit="c" * 40))
    execution.advance([ListedSystem(before_arrival=SendRefusedError("403"))])
    assert states(execution) == ["failed"]
    assert execution.propose(rerun(2)).held_by is HeldBy.BUDGET
    assert execution.propose(rerun(3, commit="c" * 40)).state is State.REFUSED


@on_sqlite_alone
def test_a_late_receipt_is_logged_as_an_error(make, clock) -> None:
    slow, quick = make(), make()
    system = ListedSystem()

    class SlowSystem(ListedSystem):
        def send(self, action):
            clock.forward(minutes=3)
            quick.advance([system])
            return replace(super().send(action), external_id="second")

    slow.propose(rerun())
    with capture_logs() as logged:
        slow.advance([SlowSystem()])
    (entry,) = [one for one in logged if one["event"] == "action_receipt_came_late"]
    (record,) = slow.list()
    assert (entry["log_level"], entry["receipt"], entry["action"]) == ("error", "second", record.id)
    assert entry["url"] == record.receipt.url


@on_sqlite_alone
def test_each_step_on_the_way_is_passed_and_leaves_its_mark(database, clock) -> None:
    steps: list[str] = []
    execution = Execution(database, settings_for_actions(), clock, no_uptime, checkpoint=steps.append)
    execution.propose(rerun())
    (sent,) = execution.advance([ListedSystem()]).changed
    assert steps == ["proposal_recorded", "precondition_checked", "intent_recorded", "request_sent", "receipt_recorded"]
    assert (sent.note, sent.sender, sent.attempts, sent.held_by) == ("started", "", 1, HeldBy.NOTHING)
    assert sent.finished_at is None
    lost = ListedSystem(before_arrival=DOWN)
    execution.propose(rerun(2))
    execution.advance([lost])
    steps.clear()
    empty = ListedSystem()
    for _ in range(15):
        clock.forward(minutes=1)
        execution.advance([empty])
    again = next(one for one in execution.list() if one.id != sent.id)
    assert steps[0] == "asked_whether_it_arrived"
    assert (again.state, again.attempts, again.sender) == (State.SENT, 2, "")


@on_sqlite_alone
def test_who_found_that_nobody_can_tell_has_taken_over_from_the_sender(make, clock) -> None:
    execution, system = make(), ListedSystem(after_arrival=KeyError("killed"), when_asked=DOWN)
    execution.propose(rerun())
    execution.advance([system])
    (record,) = execution.list()
    assert record.sender
    clock.forward(minutes=2)
    (told,) = make().advance([system]).changed
    assert (told.sender, "unknown whether it arrived" in told.note) == ("", True)
