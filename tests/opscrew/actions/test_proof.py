"""What was approved is what is sent: a record that was changed behind the crew's back never is."""

import json

import pytest
from sqlalchemy import text

from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.executor import NotYetError
from opscrew.actions.findings import observe_audit
from opscrew.actions.records import HeldBy
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from opscrew.errors import CrewError
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState as State
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone
from tests.support.tampering import as_an_earlier_version_wrote, rewrite, tamper, without_guards

AUTO, ASK = {"rerun_pipeline": "auto"}, {"rerun_pipeline": "approve"}
OTHER = json.dumps(rerun(7).parameters)


@pytest.fixture
def log(database):
    return without_guards(database)


@pytest.fixture
def anchor(tmp_path):
    return tmp_path / "crew-data" / FILE_NAME


def crew(log, clock, policy=ASK) -> Execution:
    return Execution(log, settings_for_actions(policy=policy), clock, no_uptime)


def approved(log, clock) -> Execution:
    execution = crew(log, clock)
    execution.approve(execution.propose(rerun()).id, "ada")
    return execution


EDITS = [
    ("scope = 'acme/infra'", "target"),
    ("name = '#7'", "target"),
    ("target_kind = 'branch'", "target"),
    ("system = 'kubernetes'", "target"),
    (f"parameters = '{OTHER}'", "parameters"),
    ("idempotency_key = 'x'", "key"),
    ("reason = 'because I say so'", "reason"),
    ("approved_by = 'bo'", "approved_by"),
    ("approved_by = 'policy'", "approved_by"),
    ("expires_at = '2026-12-24 00:00:00.000000'", "expires_at"),
]


@pytest.mark.parametrize(("edit", "named"), EDITS)
@on_sqlite_alone
def test_a_row_that_was_edited_after_approval_is_not_sent_and_verify_names_what(
    log, clock, anchor, edit, named
) -> None:
    execution, system = approved(log, clock), ListedSystem()
    tamper(log, f"UPDATE actions SET {edit}")
    (problem,) = verify(log, anchor).problems
    assert f"its {named} did not come from crew" in problem
    moved = execution.advance([system])
    assert system.arrived == []
    assert moved.audit_doubted
    (refused,) = moved.changed
    assert (refused.state, refused.held_by) == (State.REFUSED, HeldBy.AUDIT)
    assert f"its {named} differ" in refused.note
    (still,) = verify(log, anchor).problems
    assert named in still, "that it was refused must not hide the edit"


@on_sqlite_alone
def test_a_row_that_was_edited_after_policy_approved_it_is_not_sent(log, clock) -> None:
    execution, system = crew(log, clock, AUTO), ListedSystem()
    execution.propose(rerun())
    tamper(log, f"UPDATE actions SET parameters = '{OTHER}'")
    execution.advance([system])
    assert system.arrived == []


@pytest.mark.parametrize("before", ["waiting", "denied"])
@on_sqlite_alone
def test_an_approval_that_nobody_gave_is_worth_nothing(log, clock, anchor, before) -> None:
    execution, system = crew(log, clock), ListedSystem()
    proposed = execution.propose(rerun())
    if before == "denied":
        execution.deny(proposed.id, "ada")
    tamper(log, "UPDATE actions SET state = 'approved', approved_by = 'ada'")
    (refused,) = execution.advance([system]).changed
    assert (refused.state, system.arrived) == (State.REFUSED, [])
    assert "state and approved_by differ" in refused.note
    assert any("did not come from crew" in one for one in verify(log, anchor).problems)


@on_sqlite_alone
def test_what_was_never_approved_is_not_sent_by_way_of_a_sender_that_never_was(log, clock, anchor) -> None:
    """Recovery finds that nothing arrived and would send it: the step in between must not launder the edit."""
    execution, system = crew(log, clock), ListedSystem()
    execution.propose(rerun())
    tamper(log, "UPDATE actions SET state = 'sending', approved_by = 'ada', spent_at = '2026-10-06 00:00:00.000000'")
    for _ in range(9):
        execution.advance([system])
        clock.forward(minutes=3)
    (refused,) = execution.list()
    assert (refused.state, system.arrived) == (State.REFUSED, [])
    assert "state and approved_by differ" in refused.note
    assert any("state and approved_by did not come from crew" in one for one in verify(log, anchor).problems)


@on_sqlite_alone
def test_what_was_done_is_not_done_again_because_its_row_was_deleted(log, clock, anchor) -> None:
    execution, system = crew(log, clock, AUTO), ListedSystem()
    execution.propose(rerun())
    execution.advance([system])
    tamper(log, "DELETE FROM actions")
    again = execution.propose(rerun())
    assert (again.state, again.held_by) == (State.REFUSED, HeldBy.AUDIT)
    assert "its record was deleted" in again.note
    execution.advance([system])
    assert len(system.arrived) == 1
    (problem,) = verify(log, anchor).problems
    assert "its record did not come from crew" in problem


@on_sqlite_alone
def test_a_kind_that_was_edited_is_carried_out_by_nobody(log, clock) -> None:
    execution = approved(log, clock)
    tamper(log, "UPDATE actions SET kind = 'stop_pipeline'")
    stopper = ListedSystem(kind="stop_pipeline")
    execution.advance([stopper, ListedSystem()])
    assert stopper.arrived == []


@on_sqlite_alone
def test_what_was_altered_before_a_person_looks_cannot_be_approved(log, clock) -> None:
    execution = crew(log, clock)
    waiting = execution.propose(rerun())
    tamper(log, f"UPDATE actions SET parameters = '{OTHER}'")
    with pytest.raises(CrewError, match="cannot be approved: its parameters differ"):
        execution.approve(waiting.id, "ada")


@on_sqlite_alone
def test_an_action_that_the_log_does_not_know_is_not_sent(log, clock) -> None:
    execution, system = approved(log, clock), ListedSystem()
    tamper(log, "DELETE FROM audit_entries")
    (refused,) = execution.advance([system]).changed
    assert (refused.state, system.arrived) == (State.REFUSED, [])
    assert "does not say what was proposed" in refused.note


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE audit_entries SET who = 'bo' WHERE number = 2", "entry 2 was edited"),
        ("DELETE FROM audit_entries WHERE number = 3", "entry 3 is missing"),
        ("UPDATE audit_entries SET action = '0123456789ab' WHERE number = 2", "entry 2 was edited"),
    ],
)
@on_sqlite_alone
def test_a_log_that_is_broken_behind_the_proposal_holds_the_action_back_and_says_so_once(
    log, clock, statement, said
) -> None:
    execution, system = approved(log, clock), ListedSystem()
    for number in (2, 3):
        execution.propose(rerun(number))
    tamper(log, statement)
    (held,) = execution.advance([system]).changed
    assert (held.state, held.held_by, system.arrived) == (State.APPROVED, HeldBy.AUDIT, [])
    assert said in held.note
    again = execution.advance([system])
    assert (again.changed, again.audit_doubted) == ((), True)
    assert said in again.problems[0]


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"number": 1}', '{"number": 5, "hash": "00"}'])
@on_sqlite_alone
def test_without_an_anchor_that_fits_nothing_is_sent(log, clock, anchor, content) -> None:
    execution, system = approved(log, clock), ListedSystem()
    if content is None:
        anchor.unlink()
    else:
        anchor.write_text(content)
    (held,) = execution.advance([system]).changed
    assert (held.state, system.arrived) == (State.APPROVED, [])
    assert "anchor" in held.note


def test_a_lost_anchor_is_a_problem_and_is_not_made_anew_by_the_next_entry(log, clock, anchor) -> None:
    execution = crew(log, clock)
    assert verify(log, anchor).intact, "an empty log has lost nothing"
    execution.propose(rerun(1))
    anchor.unlink()
    execution.propose(rerun(2))
    assert not anchor.exists()
    check = verify(log, anchor)
    assert check.anchored == 0
    (problem,) = check.problems
    assert "the anchor" in problem
    assert "is missing although there are 2 entries" in problem


@on_sqlite_alone
def test_once_it_is_proven_again_nothing_speaks_of_the_doubt_any_more(log, clock, anchor) -> None:
    execution, system = approved(log, clock), ListedSystem()
    kept = anchor.read_text()
    anchor.unlink()
    assert execution.advance([system]).audit_doubted
    anchor.write_text(kept)

    class NotNow(ListedSystem):
        def precondition(self, action):
            raise NotYetError("an outage")

    moved = execution.advance([NotNow()])
    assert (moved.audit_doubted, moved.problems) == (False, ())
    (sent,) = execution.advance([system]).changed
    assert (sent.state, sent.held_by) == (State.SENT, HeldBy.NOTHING)


@on_sqlite_alone
def test_an_anchor_that_cannot_be_read_is_a_problem_and_no_crash(log, clock, anchor) -> None:
    execution, system = approved(log, clock), ListedSystem()
    anchor.unlink()
    anchor.mkdir()
    assert any("cannot be read" in one for one in verify(log, anchor).problems)
    execution.advance([system])
    assert system.arrived == []
    anchor.rmdir()


@on_sqlite_alone
def test_a_log_that_an_earlier_version_wrote_proves_its_actions_too(log, clock, anchor) -> None:
    execution, system = crew(log, clock), ListedSystem()
    by_person, waiting, off = (execution.propose(rerun(number)) for number in (1, 2, 3))
    execution.approve(by_person.id, "ada")
    execution.deny(off.id, "bo")
    by_policy = crew(log, clock, AUTO).propose(rerun(4))
    anchor.unlink()
    rewrite(log, as_an_earlier_version_wrote)
    with log.connect() as connection:
        number, digest = connection.execute(
            text("SELECT number, hash FROM audit_entries ORDER BY number DESC LIMIT 1")
        ).one()
    anchor.write_text(json.dumps({"number": number, "hash": digest}))
    assert verify(log, anchor).problems == ()
    crew(log, clock, AUTO).advance([system])
    assert set(system.arrived) == {by_person.action.idempotency_key, by_policy.action.idempotency_key}
    assert execution.get(waiting.id).state is State.WAITING
    assert verify(log, anchor).problems == ()


@on_sqlite_alone
def test_a_refused_record_is_compared_too_but_not_what_an_earlier_version_abridged_twice(log, clock, anchor) -> None:
    """It cut a kind of 70 characters at 64 in the row and not at all in the log."""
    crew(log, clock).propose(rerun().model_copy(update={"kind": "x" * 70}))
    tamper(log, "UPDATE actions SET reason = 'because I say so'")
    assert any("its reason did not come from crew" in one for one in verify(log, anchor).problems)
    tamper(log, f"UPDATE actions SET reason = '{rerun().reason}'")

    def abridge(row):
        as_an_earlier_version_wrote(row)
        row["details"] = row["details"].replace("x" * 64, "x" * 70)

    anchor.unlink()
    rewrite(log, abridge)
    (lost,) = verify(log, anchor).problems
    assert "is missing" in lost
    tamper(log, "UPDATE actions SET state = 'approved'")
    assert any("is approved in the journal" in one for one in verify(log, anchor).problems)


class TestWhileAuditBrokenStands:
    @pytest.fixture
    def broken(self, log, clock, anchor):
        """An old entry was edited, and a person denied that action long ago: no action at hand is touched."""
        execution = crew(log, clock)
        execution.deny(execution.propose(rerun(9)).id, "ada")
        tamper(log, "UPDATE audit_entries SET who = 'bo' WHERE number = 1")
        observe_audit(Ledger(log, clock), verify(log, anchor))
        return log

    @on_sqlite_alone
    def test_nothing_is_done_by_itself(self, broken, clock) -> None:
        execution, system = crew(broken, clock, AUTO), ListedSystem()
        waiting = execution.propose(rerun())
        assert (waiting.state, waiting.held_by) == (State.WAITING, HeldBy.AUDIT)
        assert "AUDIT_BROKEN" in waiting.note
        execution.advance([system])
        assert system.arrived == []

    @on_sqlite_alone
    def test_what_policy_approved_before_waits_for_a_person(self, log, clock, anchor) -> None:
        execution, system = crew(log, clock, AUTO), ListedSystem()
        execution.propose(rerun())
        execution.deny(crew(log, clock).propose(rerun(9)).id, "ada")
        tamper(log, "UPDATE actions SET state = 'failed' WHERE name = '#9'")
        observe_audit(Ledger(log, clock), verify(log, anchor))
        (held,) = execution.advance([system]).changed
        assert (held.state, held.held_by, system.arrived) == (State.WAITING, HeldBy.AUDIT, [])

    @on_sqlite_alone
    def test_a_muted_finding_stands_all_the_same(self, broken, clock) -> None:
        ledger = Ledger(broken, clock)
        (entry,) = ledger.list(code="AUDIT_BROKEN")
        ledger.suppress(entry.fingerprint, clock().replace(year=2030), "noise", "mallory")
        assert crew(broken, clock, AUTO).propose(rerun()).held_by is HeldBy.AUDIT

    @on_sqlite_alone
    def test_what_a_person_approves_goes_where_its_own_entries_prove_it(self, broken, clock) -> None:
        execution, system = crew(broken, clock, AUTO), ListedSystem()
        waiting = execution.propose(rerun())
        execution.approve(waiting.id, "ada")
        execution.advance([system])
        assert system.arrived == [waiting.action.idempotency_key]

    @on_sqlite_alone
    def test_it_goes_on_by_itself_once_the_log_is_right_again(self, broken, clock, anchor) -> None:
        tamper(broken, "UPDATE audit_entries SET who = 'crew' WHERE number = 1")
        observe_audit(Ledger(broken, clock), verify(broken, anchor))
        assert crew(broken, clock, AUTO).propose(rerun()).state is State.APPROVED
