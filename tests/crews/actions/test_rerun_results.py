"""What a re-run came to is learned, whichever crew hears of it first, and a signature that rescues nothing is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crews.actions.rerun_pipeline import RerunPipeline
from crews.actions.rerun_results import RescueLearning
from crews.runtime.registry import find_crew
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.ci.rerun.history import record_rescue, record_sighting, rescue_record
from opscrew.ci.rerun.outage import Sighting
from opscrew.ci.rerun.success_rate import RescueRecord
from opscrew.ci.watch.open_failures import Rerun, standing_in, standing_wanted, update_standing
from opscrew.model.action import ActionState
from tests.support.sandboxes import BitbucketWatch, bitbucket_watch

SIGNATURE = "pip-network"
"""What the flaky log of the sandbox's Python repositories is recognised as."""


@pytest.fixture
def watch(tmp_path: Path, database: Engine) -> Iterator[BitbucketWatch]:
    """On SQLite and on PostgreSQL: here every table of the CI watch is written and read."""
    with bitbucket_watch(tmp_path) as running:
        running.world.add_repository("shop", "python")
        yield BitbucketWatch(running.world, running.clock, replace(running.context, engine=database))


def actions(watch: BitbucketWatch) -> list[ActionRecord]:
    context = watch.context
    return list(Execution(context.engine, context.settings, context.clock, context.uptime).list())


def learned(watch: BitbucketWatch) -> RescueRecord:
    return rescue_record(watch.context.engine, SIGNATURE, "acme/shop", watch.clock())


def upkeep(watch: BitbucketWatch) -> None:
    crew = find_crew("action_upkeep")
    assert crew is not None
    crew.run(watch.context)


def sent(watch: BitbucketWatch, fate: str) -> ActionRecord:
    """Pushes, and lets the crew get as far as the request for a re-run."""
    watch.world.push("shop", fate)
    for _ in range(6):
        watch.round()
        if actions(watch) and actions(watch)[-1].state is ActionState.SENT:
            return actions(watch)[-1]
    raise AssertionError("nothing was run again")


@pytest.mark.parametrize(
    ("fate", "expected"), [("flaky", RescueRecord(passed=1, failed=0)), ("flaky_twice", RescueRecord(0, 1))]
)
@pytest.mark.parametrize("first", ["ci_watch", "action_upkeep"])
def test_the_outcome_counts_whichever_crew_hears_of_it_first(watch, fate, expected, first: str) -> None:
    sent(watch, fate)
    watch.clock.forward(minutes=5)
    if first == "action_upkeep":
        upkeep(watch)
    watch.rounds(2)
    upkeep(watch)
    assert learned(watch) == expected


def test_the_look_that_sees_the_result_before_the_action_is_followed_loses_nothing(watch) -> None:
    record = sent(watch, "flaky_twice")
    watch.world.faults.add("error", path=record.receipt.external_id.strip("{}"), times=3)
    watch.round(5)
    watch.rounds(3)
    assert learned(watch) == RescueRecord(0, 1)


def test_a_re_run_that_a_person_stopped_says_nothing_about_the_signature(watch) -> None:
    record = sent(watch, "flaky_twice")
    watch.context.systems.bitbucket.stop("shop", record.receipt.external_id)
    watch.rounds(3)
    assert actions(watch)[-1].state is ActionState.FAILED
    assert learned(watch) == RescueRecord(0, 0)


def test_during_an_outage_nothing_is_learned(watch) -> None:
    sent(watch, "flaky_twice")
    for number in range(6):
        record_sighting(watch.context.engine, Sighting(SIGNATURE, f"acme/other#{number}", watch.clock()))
    watch.clock.forward(minutes=5)
    upkeep(watch)
    assert actions(watch)[-1].state is ActionState.FAILED
    assert learned(watch) == RescueRecord(0, 0)


def test_what_was_approved_before_an_outage_is_held_back_until_it_ends(watch) -> None:
    settings = watch.context.settings.model_copy(update={"policy": {"rerun_pipeline": "approve"}})
    watch = BitbucketWatch(watch.world, watch.clock, replace(watch.context, settings=settings))
    watch.world.push("shop", "flaky")
    watch.rounds(4)
    (waiting,) = actions(watch)
    for number in range(6):
        record_sighting(watch.context.engine, Sighting(SIGNATURE, f"acme/other#{number}", watch.clock()))
    context = watch.context
    Execution(context.engine, settings, watch.clock, context.uptime).approve(waiting.id, "ada")
    watch.rounds(3)
    upkeep(watch)
    (held,) = actions(watch)
    assert held.state is ActionState.APPROVED
    assert held.note == f"held back: {SIGNATURE} is an outage since 2026-10-06 12:01 UTC"
    assert len(watch.world.repositories["shop"].runs) == 1
    watch.clock.forward(minutes=30)
    watch.rounds(2)
    assert len(watch.world.repositories["shop"].runs) == 2


def test_of_several_re_runs_one_at_a_time_tries_whether_an_outage_is_over_and_a_hung_one_blocks_none(watch) -> None:
    for number in range(6):
        record_sighting(watch.context.engine, Sighting(SIGNATURE, f"acme/other#{number}", watch.clock()))
    learning = RescueLearning(watch.context.engine, watch.clock)
    watch.world.push("shop", "flaky")
    watch.rounds(3)
    assert actions(watch) == []
    watch.clock.forward(minutes=20)
    watch.round()
    (trying,) = actions(watch)
    assert trying.state is ActionState.SENT
    other = trying.action.model_copy(update={"idempotency_key": "another commit"})
    assert learning.held_back_by(trying.action) is None, "it does not hold back itself"
    assert learning.held_back_by(other) is not None
    unlike = other.model_copy(update={"parameters": other.parameters | {"signature": "npm-network"}})
    assert learning.held_back_by(unlike) is None
    watch.clock.forward(minutes=61)
    assert learning.held_back_by(other) is None


def test_a_signature_that_re_runs_do_not_rescue_is_demoted_and_shows_its_numbers(watch) -> None:
    for _ in range(6):
        sent(watch, "flaky_twice")
        watch.round(5)
        watch.clock.forward(minutes=30)
    assert learned(watch) == RescueRecord(0, 6)
    watch.world.push("shop", "flaky")
    watch.rounds(6)
    assert len(actions(watch)) == 6
    told = watch.ledger.list(code="CI_TRANSIENT_NETWORK")[0].finding
    assert "0 of 6 re-runs passed; expected rescue rate 22% (90 % interval" in told.cause
    assert "no longer re-run by itself" in told.cause


def test_what_a_person_asked_for_counts_for_the_failure_that_stands(watch) -> None:
    """Else a signature that was demoted could never be believed again."""
    record = sent(watch, "flaky")
    nameless = {key: value for key, value in record.action.parameters.items() if key != "signature"}
    client = watch.context.systems.bitbucket
    executor = RerunPipeline(client, RescueLearning(watch.context.engine, watch.clock))
    watch.clock.forward(minutes=5)
    assert record.receipt is not None
    assert executor.outcome(record.action.model_copy(update={"parameters": nameless}), record.receipt)
    assert learned(watch) == RescueRecord(passed=1, failed=0)


def test_a_host_that_a_re_run_failed_on_is_told_instead_of_asked_again(watch) -> None:
    """Whichever repository of the workspace found out."""
    engine, host = watch.context.engine, "nexus.acme-corp.net"
    for number in range(6):
        record_sighting(engine, Sighting(SIGNATURE, f"acme/other#{number}", watch.clock()))
    watch.world.push("shop", "flaky")
    watch.rounds(4)
    (held,) = standing_wanted(engine, "acme")
    named = held.finding.model_copy(update={"details": {**held.finding.details, "host": host}})
    update_standing(engine, replace(held, finding=named))
    record_rescue(engine, SIGNATURE, "acme/till", pipeline_key="acme/till#7", passed=False, at=watch.clock(), host=host)
    watch.clock.forward(minutes=30)
    watch.rounds(2)
    (told,) = standing_in(engine, "acme/shop").values()
    assert told.rerun is Rerun.NOT_WANTED
    assert told.finding.code == "CI_INFRA_PERSISTENT"
    assert f"the last re-run after a failure on {host} failed as well" in told.finding.cause
    assert actions(watch) == []


def test_the_host_of_a_failure_is_learned_with_its_re_run(watch) -> None:
    sent(watch, "flaky")
    assert actions(watch)[-1].action.parameters["host"]
