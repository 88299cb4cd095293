"""Approved actions are carried out by themselves, and what waits or was tampered with is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from crews.runtime.registry import find_crew
from crews.runtime.systems import Systems
from opscrew.actions.execution import Execution
from opscrew.actions.records import HeldBy
from opscrew.model.action import ActionState
from opscrew.model.run import Run, RunOutcome
from tests.support.actions import rerun
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path, policy={"rerun_pipeline": "approve"}) as running:
        running.world.add_repository("shop")
        running.world.push("shop", "flaky")
        running.rounds(4)
        yield running


def run(watch: BitbucketWatch, name: str) -> Run:
    crew = find_crew(name)
    assert crew is not None
    return crew.run(watch.context)


def open_codes(watch: BitbucketWatch) -> set[str]:
    return {entry.finding.code for entry in watch.ledger.open()}


def test_a_waiting_action_is_a_finding_until_somebody_decides(watch) -> None:
    run(watch, "action_upkeep")
    assert "ACTION_WAITING" in open_codes(watch)
    context = watch.context
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    (waiting,) = execution.list([ActionState.WAITING])
    execution.approve(waiting.id, "ada")
    assert "1 actions moved on" in run(watch, "action_upkeep").summary
    assert execution.get(waiting.id).state is ActionState.SENT
    assert "ACTION_WAITING" not in open_codes(watch)


def test_an_action_whose_system_is_gone_from_the_settings_is_told(watch) -> None:
    context = watch.context
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    (waiting,) = execution.list([ActionState.WAITING])
    execution.approve(waiting.id, "ada")
    settings = context.settings.model_copy(update={"bitbucket": None})
    with Systems(settings, context.clock, context.metrics) as nothing:
        changed = replace(context, settings=settings, systems=nothing)
        upkeep = run(BitbucketWatch(watch.world, watch.clock, changed), "action_upkeep")
    assert upkeep.outcome is RunOutcome.PARTIAL
    assert "bitbucket is not connected, approved" in upkeep.summary


def test_an_audit_log_that_was_changed_is_a_finding(watch) -> None:
    assert "intact" in run(watch, "housekeeping").summary
    with watch.context.engine.begin() as connection:
        for trigger in (
            connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        ):
            connection.execute(text(f"DROP TRIGGER {trigger}"))
        connection.execute(text("UPDATE audit_entries SET who = 'nobody'"))
    assert "BROKEN" in run(watch, "housekeeping").summary
    assert "AUDIT_BROKEN" in open_codes(watch)


def test_a_record_that_was_altered_is_told_at_once_and_nothing_happens_by_itself_any_more(watch) -> None:
    context = watch.context
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    (waiting,) = execution.list([ActionState.WAITING])
    execution.approve(waiting.id, "ada")
    with context.engine.begin() as connection:
        connection.execute(text("UPDATE actions SET scope = 'acme/other'"))
    upkeep = run(watch, "action_upkeep")
    assert upkeep.outcome is RunOutcome.PARTIAL
    assert "its target differ" in upkeep.summary
    assert "AUDIT_BROKEN" in open_codes(watch)
    assert execution.get(waiting.id).state is ActionState.REFUSED
    settings = context.settings.model_copy(update={"policy": {"rerun_pipeline": "auto"}})
    automatic = Execution(context.engine, settings, context.clock, context.uptime)
    assert automatic.propose(rerun()).held_by is HeldBy.AUDIT
