"""12,000 findings and 1,500 actions: nothing that a person should see is left out, and answers stay quick."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from crews.ask.names import known_names
from crews.runtime.registry import find_crew
from crews.storage_growth.job import enlarged_at
from opscrew.actions.anchor import FILE_NAME, Anchor, set_anchor
from opscrew.actions.audit import BEGINNING, Head
from opscrew.actions.execution import Execution
from opscrew.findings.ledger import Ledger
from opscrew.memory.library import Library
from opscrew.store.tables.actions import actions
from tests.support.asking import ask, crew_at, told
from tests.support.multitudes import write_actions, write_findings

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
FINDINGS, ACTIONS = 12_000, 1_500


@pytest.fixture
def crew(tmp_path):
    set_anchor(tmp_path / FILE_NAME, Anchor(Head(0, BEGINNING)))
    with crew_at(NOW, tmp_path) as context:
        yield context


def run(crew, name: str) -> str:
    found = find_crew(name)
    assert found is not None
    return found.run(crew).summary


def test_every_action_that_waits_is_a_finding_and_stays_one(crew) -> None:
    ids = write_actions(crew.engine, ACTIONS, NOW)
    for _ in range(2):
        run(crew, "action_upkeep")
        told_of = Ledger(crew.engine, crew.clock).list(code="ACTION_WAITING")
        assert {entry.finding.details["action"] for entry in told_of} == set(ids)


def test_an_answer_counts_all_and_names_the_gravest_and_those_that_are_named(crew) -> None:
    write_findings(crew.engine, FINDINGS, NOW)
    everything = told(ask(crew, "is everything fine?"))
    assert f"{FINDINGS} open findings" in everything
    for number in range(FINDINGS - 3, FINDINGS):
        assert f"feature-{number}" in everything
    about = told(ask(crew, "what is wrong in repo3999?"))
    assert "3 open findings" in about
    assert "feature-3999" in about
    assert "feature-3998" not in about


def test_names_of_the_oldest_findings_are_known(crew) -> None:
    write_findings(crew.engine, FINDINGS, NOW)
    began = time.perf_counter()
    names = {one.name for one in known_names(crew)}
    assert {"repo3999", f"feature-{FINDINGS - 1}"} <= names
    assert time.perf_counter() - began < 30, "a guard against a query for each finding"


def test_an_answer_counts_all_actions_and_puts_those_that_wait_first(crew) -> None:
    ids = write_actions(crew.engine, ACTIONS, NOW, "succeeded")
    with crew.engine.begin() as connection:
        connection.execute(update(actions).where(actions.c.id == ids[0]).values(state="waiting"))
    text = told(ask(crew, "what actions were proposed today?"))
    assert f"{ACTIONS} actions: {ACTIONS - 1} succeeded, 1 waiting" in text
    assert f"action {ids[0]}" in text


def test_an_old_remedy_is_told_in_the_episode_of_what_it_mended(crew) -> None:
    write_findings(crew.engine, 10, NOW, severity="warning", state="resolved", present=False, resolved_at=NOW)
    with crew.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE findings SET first_seen = '2026-10-05 00:00:00.000000'")
    write_actions(crew.engine, ACTIONS, NOW, "succeeded")
    assert "Wrote 10 episodes" in run(crew, "remembering")
    (first,) = [one for one in Library(crew.engine, crew.clock).documents() if "feature-1" in one.title]
    assert first.proven, "the first action of all answered it"


def test_the_first_enlargement_of_a_volume_is_remembered_behind_all_the_others(crew) -> None:
    write_actions(crew.engine, ACTIONS, NOW, "succeeded")
    with crew.engine.begin() as connection:
        oldest = actions.c.proposed_at == NOW - timedelta(seconds=ACTIONS - 1)
        connection.execute(update(actions).where(oldest).values(kind="expand_pvc"))
    known = enlarged_at(Execution(crew.engine, crew.settings, crew.clock, crew.uptime))
    assert list(known) == ["bitbucket/pipeline/acme/repo1/#1"]
