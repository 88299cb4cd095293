"""After a restored backup or a lost anchor a person accepts the log as it is, on record, and nothing else is hidden."""

import shutil
from pathlib import Path

import pytest

from opscrew.actions.acceptance import accept
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.executor import Outcome
from opscrew.actions.records import HeldBy
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from opscrew.errors import CrewError
from opscrew.model.action import ActionState as State
from opscrew.store.database import forget_traces
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone
from tests.support.tampering import rewrite, tamper, without_guards
from tools.errors import TemporaryError

WHY = "the backup of Monday was restored"


@pytest.fixture
def anchor(tmp_path):
    return tmp_path / "crew-data" / FILE_NAME


@pytest.fixture
def log(database):
    return without_guards(database)


def crew(log, clock, mode="approve") -> Execution:
    return Execution(log, settings_for_actions(policy={"rerun_pipeline": mode}), clock, no_uptime)


def test_an_intact_log_cannot_be_accepted_nor_one_without_a_reason(log, clock, anchor) -> None:
    crew(log, clock).propose(rerun())
    with pytest.raises(CrewError, match="is intact"):
        accept(log, anchor, "ada", WHY, clock())
    anchor.unlink()
    with pytest.raises(CrewError, match="needs a reason"):
        accept(log, anchor, "ada", " ", clock())
    assert not verify(log, anchor).intact


@pytest.mark.parametrize(
    "damage",
    [
        "anchor",
        "UPDATE audit_entries SET who = 'bo' WHERE number = 2",
        "DELETE FROM audit_entries WHERE number = 2",
        "DELETE FROM audit_entries WHERE number > 2",
        "DELETE FROM actions WHERE name = '#2'",
        "UPDATE actions SET scope = 'acme/infra' WHERE name = '#2'",
    ],
)
def test_whatever_is_broken_can_be_accepted_and_new_damage_is_found(log, clock, anchor, damage) -> None:
    execution = crew(log, clock)
    for number in (1, 2, 3):
        execution.propose(rerun(number))
    if damage == "anchor":
        anchor.unlink()
    else:
        tamper(log, damage)
    assert not verify(log, anchor).intact
    check = accept(log, anchor, "ada", WHY, clock())
    assert check.problems == ()
    assert check.accepted.startswith("ada accepted what stands before entry")
    assert WHY in check.accepted
    crew(log, clock).propose(rerun(4))
    assert verify(log, anchor).problems == ()
    assert verify(log, anchor).anchored == verify(log, anchor).head.number
    tamper(log, "UPDATE audit_entries SET at = '2026-01-01T00:00:00.000000+00:00' WHERE number = 1")
    assert any("accepted other entries than now stand before it" in one for one in verify(log, anchor).problems)


@on_sqlite_alone
def test_a_restored_backup_asks_again_what_was_approved_and_sends_nothing_twice(log, clock, anchor, tmp_path) -> None:
    system = ListedSystem(after_arrival=TemporaryError("no answer", system="bitbucket"))
    execution = crew(log, clock)
    sent, approved = execution.propose(rerun(1)), execution.propose(rerun(2))
    execution.approve(sent.id, "ada")
    execution.advance([system])  # it arrived, and the answer was lost
    execution.approve(approved.id, "ada")
    forget_traces(log)
    file = Path(log.url.database)
    shutil.copy(file, tmp_path / "backup.db")
    system.after_arrival = None
    clock.forward(minutes=1)
    execution.advance([system])
    assert len(system.arrived) == 2
    log.dispose()
    for name in ("crew.db-wal", "crew.db-shm"):
        file.with_name(name).unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup.db", file)

    moved = execution.advance([system])
    assert moved.audit_doubted
    assert "its anchor names" in moved.problems[0]
    assert "was cut off" in verify(log, anchor).problems[0]
    accept(log, anchor, "ada", WHY, clock())
    asked_again = execution.get(approved.id)
    assert (asked_again.state, asked_again.held_by, asked_again.approved_by) == (State.WAITING, HeldBy.AUDIT, "")
    assert "please decide again" in asked_again.note
    assert asked_again.spent is None
    clock.forward(minutes=1)
    execution.advance([system])
    assert execution.get(sent.id).state is State.SENT, "it was looked up"
    assert len(system.arrived) == 2
    execution.deny(approved.id, "ada", "it was done already")
    assert verify(log, anchor).problems == ()


@pytest.mark.parametrize(("state", "after"), [("approved", State.DENIED), ("sent", State.FAILED)])
@on_sqlite_alone
def test_what_was_altered_is_closed_and_stays_closed(log, clock, anchor, state, after) -> None:
    execution, system = crew(log, clock, "auto"), ListedSystem()
    altered = execution.propose(rerun())
    if state == "sent":
        execution.advance([system])
    tamper(log, "UPDATE actions SET scope = 'acme/infra'")
    accept(log, anchor, "ada", WHY, clock())
    closed = execution.get(altered.id)
    assert (closed.state, closed.finished_at) == (after, clock())
    assert "changed by something other than crew" in closed.note
    assert execution.advance([system]).changed == ()
    assert verify(log, anchor).problems == ()


@on_sqlite_alone
def test_what_is_over_is_stated_as_it_now_stands_and_not_touched(log, clock, anchor) -> None:
    execution, system = crew(log, clock, "auto"), ListedSystem(result=Outcome(True, "it passed"))
    altered = execution.propose(rerun())
    for _ in range(2):
        execution.advance([system])
    tamper(log, "UPDATE actions SET scope = 'acme/infra'")
    before = execution.get(altered.id)
    assert accept(log, anchor, "ada", WHY, clock()).problems == ()
    after = execution.get(altered.id)
    assert (after.state, after.note, after.finished_at) == (State.SUCCEEDED, before.note, before.finished_at)


@on_sqlite_alone
def test_a_log_that_is_lost_altogether_begins_anew_and_nothing_in_the_journal_is_believed(log, clock, anchor) -> None:
    execution, system = crew(log, clock), ListedSystem()
    waiting, approved = execution.propose(rerun(1)), execution.propose(rerun(2))
    execution.approve(approved.id, "ada")
    tamper(log, "DELETE FROM audit_entries")
    check = accept(log, anchor, "ada", WHY, clock())
    assert (check.problems, check.head.number, check.anchored) == ((), 3, 3)
    assert [execution.get(one.id).state for one in (waiting, approved)] == [State.DENIED, State.DENIED]
    execution.advance([system])
    assert system.arrived == []


@on_sqlite_alone
def test_what_waits_unharmed_can_be_approved_and_is_sent(log, clock, anchor) -> None:
    execution, system = crew(log, clock), ListedSystem()
    waiting = execution.propose(rerun())
    tamper(log, "UPDATE audit_entries SET who = 'bo' WHERE number = 1")
    accept(log, anchor, "ada", WHY, clock())
    execution.approve(waiting.id, "ada")
    execution.advance([system])
    assert system.arrived == [waiting.action.idempotency_key]


@on_sqlite_alone
def test_what_was_lost_can_be_proposed_again_once_that_was_accepted(log, clock, anchor) -> None:
    execution = crew(log, clock)
    lost = execution.propose(rerun())
    tamper(log, "DELETE FROM actions")
    accept(log, anchor, "ada", WHY, clock())
    assert execution.propose(rerun()).state is State.WAITING
    assert execution.get(lost.id).state is State.WAITING
    assert verify(log, anchor).problems == ()


@on_sqlite_alone
def test_who_can_only_write_the_database_cannot_accept_what_he_did(log, clock, anchor) -> None:
    crew(log, clock).propose(rerun(1))
    before = anchor.read_text()
    tamper(log, "UPDATE audit_entries SET who = 'bo' WHERE number = 1")
    accept(log, anchor, "mallory", "trust me", clock())
    anchor.write_text(before)
    assert any("entry 1 was edited" in one for one in verify(log, anchor).problems)


@on_sqlite_alone
def test_a_head_that_was_noted_elsewhere_is_not_overruled(log, clock, anchor) -> None:
    crew(log, clock).propose(rerun(1))
    noted = verify(log, anchor).head
    rewrite(log, lambda row: row.update(who="bo"))
    accept(log, anchor, "ada", WHY, clock())
    assert verify(log, anchor).intact
    (problem,) = verify(log, anchor, noted).problems
    assert "--head names: history was rewritten" in problem
