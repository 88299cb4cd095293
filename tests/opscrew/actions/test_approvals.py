"""What an approval is worth: told with who gave it, for as long as a question, never for what no longer fits."""

from dataclasses import replace
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from opscrew.actions import journal
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.catalog import catalog
from opscrew.actions.execution import Execution
from opscrew.actions.journal import Journal
from opscrew.actions.lifecycle import IllegalTransitionError
from opscrew.actions.records import BY_POLICY, CREW, HeldBy
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from opscrew.errors import CrewError
from opscrew.model.action import ActionState as State
from tests.support.actions import ListedSystem, rerun, settings_for_actions
from tests.support.databases import on_sqlite_alone

pytestmark = on_sqlite_alone


def test_an_approval_says_who_gave_it_and_holds_nothing_back_any_more(make) -> None:
    execution = make(policy={})
    approved = execution.approve(execution.propose(rerun()).id, "ada")
    assert (approved.note, approved.held_by, approved.approved_by) == ("approved by ada", HeldBy.NOTHING, "ada")
    assert execution.get(approved.id) == replace(approved, version=2)


def test_it_holds_for_as_long_as_the_question_did_from_when_it_was_given(make, clock) -> None:
    execution, system = make(policy={}, budget={"approval_hours": 12}), ListedSystem()
    waiting = execution.propose(rerun())
    clock.forward(hours=11)
    approved = execution.approve(waiting.id, "ada")
    assert approved.expires_at == clock() + timedelta(hours=12)
    clock.forward(hours=11)
    execution.advance([system])
    assert len(system.arrived) == 1


@pytest.mark.parametrize("state", ["waiting", "approved"])
def test_at_the_very_moment_of_its_end_it_is_over(make, clock, state) -> None:
    execution, system = make(policy={}, budget={"approval_hours": 12}), ListedSystem()
    waiting = execution.propose(rerun())
    if state == "approved":
        execution.approve(waiting.id, "ada")
    clock.forward(hours=12)
    if state == "waiting":
        with pytest.raises(CrewError, match="has expired"):
            execution.approve(waiting.id, "ada")
    (expired,) = execution.advance([system]).changed
    assert (expired.state, expired.finished_at, system.arrived) == (State.EXPIRED, clock(), [])
    assert expired.note == ("nobody decided in time" if state == "waiting" else "not sent in time")


def test_a_moment_before_its_end_it_is_not(make, clock) -> None:
    execution = make(policy={}, budget={"approval_hours": 12})
    waiting = execution.propose(rerun())
    clock.forward(hours=12, microseconds=-1)
    assert execution.advance([]).changed == ()
    assert execution.approve(waiting.id, "ada").state is State.APPROVED


@pytest.mark.parametrize("change", ["kind", "parameters"])
def test_what_the_catalog_no_longer_allows_cannot_be_approved(make, monkeypatch, change) -> None:
    execution = make(policy={})
    waiting = execution.propose(rerun())
    kinds = dict(catalog())
    kind = kinds.pop("rerun_pipeline")
    if change == "parameters":
        parameters = {name: one for name, one in kind.parameters.items() if name != "target_key"}
        kinds["rerun_pipeline"] = kind.model_copy(update={"parameters": parameters, "same_thing": ()})
    monkeypatch.setattr("opscrew.actions.ruling.catalog", lambda: kinds)
    with pytest.raises(CrewError, match=r"cannot be approved: .*(no action|no parameter)"):
        execution.approve(waiting.id, "ada")
    assert execution.get(waiting.id).state is State.WAITING


def test_a_proposal_that_ends_at_once_has_its_end_noted_and_one_that_waits_has_none(make, clock) -> None:
    refused = make(policy={"rerun_pipeline": "off"}).propose(rerun(1))
    waiting, approved = make(policy={}).propose(rerun(2)), make().propose(rerun(3))
    assert (refused.state, refused.finished_at) == (State.REFUSED, clock())
    assert (waiting.finished_at, approved.finished_at) == (None, None)
    assert [refused.approved_by, waiting.approved_by, approved.approved_by] == ["", "", BY_POLICY]
    assert [refused.spent, waiting.spent is None, approved.spent.at] == [None, True, clock()]


def test_what_is_off_does_not_keep_its_key_so_switching_on_works_at_once(make) -> None:
    off, on = make(policy={"rerun_pipeline": "off"}), make()
    refused = off.propose(rerun())
    assert off.propose(rerun()).id == refused.id, "asked again it is the same refusal"
    assert off.get(refused.id).state is State.REFUSED
    assert off.find(rerun().idempotency_key) is None
    proposed = on.propose(rerun())
    assert (proposed.state, proposed.action) == (State.APPROVED, rerun())
    assert off.propose(rerun()).id == proposed.id, "what is on record under the key stays known"


@pytest.mark.parametrize(
    ("past", "next_"),
    [
        ((), State.SENDING),
        ((State.SENDING, State.SENT), State.SENDING),
        ((State.SENDING, State.FAILED), State.APPROVED),
    ],
)
def test_the_journal_itself_refuses_a_step_that_the_table_does_not_list(
    make, database, clock, tmp_path, past, next_
) -> None:
    execution = make(policy={} if not past else {"rerun_pipeline": "auto"})
    record = execution.propose(rerun())
    keeper = Journal(database, tmp_path / "crew-data" / FILE_NAME)
    with keeper.writing() as connection:
        for state in past:
            record = journal.change(connection, record, replace(record, state=state), clock(), CREW)
    with pytest.raises(IllegalTransitionError), keeper.writing() as connection:
        journal.change(connection, record, replace(record, state=next_), clock(), CREW)
    assert execution.get(record.id).state is record.state


def test_what_is_too_long_for_its_column_is_cut_and_refused(make) -> None:
    target = rerun().target.model_copy(update={"system": "s" * 70, "kind": "k" * 70})
    action = rerun().model_copy(update={"kind": "x" * 70, "target": target, "finding": "f" * 20, "reason": "r" * 3_000})
    execution = make()
    assert execution.propose(action).state is State.REFUSED
    (kept,) = execution.list()
    stored = kept.action
    assert [len(one) for one in (stored.kind, stored.target.system, stored.target.kind, stored.finding)] == [
        64,
        64,
        64,
        16,
    ]
    assert len(stored.reason) == 2_000


def test_a_folder_that_cannot_be_written_costs_the_anchor_and_not_the_entry(
    database, clock, tmp_path, monkeypatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("CREW_DATA_DIR", str(tmp_path / "file"))
    with capture_logs() as logged:
        proposed = Execution(database, settings_for_actions(), clock, no_uptime).propose(rerun())
    assert proposed.state is State.APPROVED
    assert {one["event"] for one in logged} == {"audit_anchor_not_written"}
    assert any("the anchor" in one for one in verify(database, tmp_path / "file" / FILE_NAME).problems)
