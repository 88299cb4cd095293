"""The CI watch under every fault that the sandbox can make: nothing is raised, run twice, or forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import get_args

import pytest

from crews.runtime.context import CrewContext
from crews.runtime.registry import find_crew
from crews.runtime.systems import Systems
from demo.bitbucket.faults import Kind
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.model.action import ActionState
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch
from tools.bitbucket.client import BitbucketClient

IMPATIENT_SECONDS, PATIENT_SECONDS = 0.5, 60
"""Timeouts of the client here. Faults that hang or drip hang for longer than the short one, which is used for them
alone: on a busy machine it could pass for a fault of its own."""
THAT_HANG = ("hang", "slow", "late")


class SystemsWithoutPauses(Systems):
    """The same assembly with a client that never sleeps, and for a while with an impatient one."""

    is_impatient = False

    @property
    def bitbucket(self) -> BitbucketClient:  # type: ignore[override]
        return self._impatient if self.is_impatient else self._patient

    @cached_property
    def _patient(self) -> BitbucketClient:
        return self._client(PATIENT_SECONDS)

    @cached_property
    def _impatient(self) -> BitbucketClient:
        return self._client(IMPATIENT_SECONDS)

    def _client(self, seconds: float) -> BitbucketClient:
        part = self.settings.bitbucket
        return BitbucketClient(
            part.url,
            part.workspace,
            token=part.token.get_secret_value(),
            timeout_seconds=seconds,
            clock=self.clock,
            sleep=lambda seconds: None,
        )


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[BitbucketWatch]:
    with bitbucket_watch(tmp_path) as running:
        context = running.context
        systems = SystemsWithoutPauses(context.settings, context.clock, context.metrics)
        hurried = CrewContext(context.settings, context.engine, context.clock, context.metrics, systems)
        running.world.add_repository("shop")
        yield BitbucketWatch(running.world, running.clock, hurried)
        systems._patient.close()
        systems._impatient.close()


def attempts(watch: BitbucketWatch) -> int:
    return len(watch.world.repositories["shop"].runs)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_fault_of_everything_for_a_while_costs_time_and_nothing_else(watch, kind: str) -> None:
    watch.world.push("shop", "flaky")
    watch.round()
    watch.world.faults.add(kind, times=12, seconds=1)
    watch.context.systems.is_impatient = kind in THAT_HANG
    for _ in range(3):
        watch.round(2)
    watch.world.faults.clear()
    watch.context.systems.is_impatient = False
    for _ in range(12):
        watch.round(10)
        if not watch.ledger.open() and attempts(watch) > 1:
            break
    assert attempts(watch) == 2
    assert watch.ledger.open() == []


@pytest.mark.parametrize(
    "kind", ["limited", "error", "hang", "late", "truncated", "wrong_json", "drop_before", "drop_after"]
)
def test_a_fault_of_the_request_itself_never_starts_two_and_forgets_none(watch, kind: str) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add(kind, method="POST", seconds=1)
    watch.context.systems.is_impatient = kind in THAT_HANG
    for _ in range(10):
        watch.round(2)
    assert attempts(watch) == 2


def upkeep(watch: BitbucketWatch) -> None:
    crew = find_crew("action_upkeep")
    assert crew is not None
    crew.run(watch.context)


def only_action(watch: BitbucketWatch) -> ActionRecord:
    context = watch.context
    (record,) = Execution(context.engine, context.settings, context.clock, context.uptime).list()
    return record


@pytest.mark.parametrize(("accepted", "listed"), [(75, 90), (5, 400), (300, 200), (0, 0), (400, 5)])
def test_a_re_run_that_is_accepted_and_listed_late_is_posted_once(watch, accepted: int, listed: int) -> None:
    watch.world.push("shop", "flaky")
    watch.rounds(1)
    watch.world.faults.add("late", method="POST", seconds=1, accepted_after=accepted, listed_after=listed)
    watch.context.systems.is_impatient = True
    codes = set()
    for _ in range(25):
        watch.round(1)
        upkeep(watch)  # both crews carry actions on
        codes |= {entry.finding.code for entry in watch.ledger.open()}
    assert attempts(watch) == 2
    assert only_action(watch).state is ActionState.SUCCEEDED
    assert only_action(watch).attempts == 1
    assert "ACTION_UNCERTAIN" in codes, "a person is told while nobody knows"
    assert watch.ledger.open() == []


@pytest.mark.parametrize(
    ("kind", "details"),
    [("limited", {"seconds": 5}), ("limited", {"seconds": -1}), ("error", {"status": 503}), ("drop_before", {})],
)
def test_three_refusals_within_minutes_do_not_end_a_re_run(watch, kind: str, details: dict) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add(kind, method="POST", times=3, **details)
    for _ in range(60):
        watch.round(1)
        if attempts(watch) > 1:
            break
    assert attempts(watch) == 2
    watch.rounds(4)
    assert only_action(watch).state is ActionState.SUCCEEDED


def test_people_read_what_a_re_run_waits_for(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add("error", method="POST", status=503, times=-1)
    watch.rounds(4)
    (entry,) = watch.ledger.open()
    assert "Re-run as action" in entry.finding.cause
    assert "refused for now (bitbucket: 503" in entry.finding.cause
    assert only_action(watch).attempts == 0


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_lasting_refusal_ends_a_re_run_with_its_words(watch, status: int) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add("error", method="POST", status=status, times=-1)
    watch.rounds(8)
    assert attempts(watch) == 1
    assert only_action(watch).state is ActionState.FAILED
    assert f"is failed: refused: bitbucket: {status}" in watch.ledger.open()[0].finding.cause


def test_a_log_that_cannot_be_read_is_asked_for_again(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.world.faults.add("error", path="/log", times=8)
    for _ in range(12):
        watch.round(2)
    assert attempts(watch) == 2


def test_a_clock_that_is_set_back_runs_nothing_twice(watch) -> None:
    watch.world.push("shop", "flaky")
    watch.rounds(3)
    watch.clock.forward(hours=-5)
    watch.rounds(3)
    watch.clock.forward(hours=5)
    watch.rounds(6)
    assert attempts(watch) == 2


def test_a_daemon_that_starts_anew_each_minute_does_the_same(watch, tmp_path) -> None:
    watch.world.push("shop", "flaky")
    crew = find_crew("ci_watch")
    assert crew is not None
    for _ in range(8):
        watch.clock.forward(minutes=1)
        context = watch.context
        with Systems(context.settings, context.clock, context.metrics) as systems:
            crew.run(CrewContext(context.settings, context.engine, context.clock, context.metrics, systems))
    assert attempts(watch) == 2
    done = Execution(context.engine, context.settings, context.clock, context.uptime).list()
    assert [one.state for one in done] == [ActionState.SUCCEEDED]
