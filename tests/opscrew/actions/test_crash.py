"""Killed at any step, an action is done exactly once: real processes, kill -9, and a server that counts."""

import random
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from crews.actions.rerun_pipeline import RerunPipeline
from opscrew.actions.anchor import FILE_NAME
from opscrew.actions.execution import Execution
from opscrew.actions.uptime import no_uptime
from opscrew.actions.verification import verify
from opscrew.ci.rerun.proposal import rerun_action
from opscrew.clock import utc_now
from opscrew.model.action import Action
from opscrew.store.database import open_database
from tests.support.action_program import NOW, PATIENCE, carry_out, start_process
from tests.support.actions import settings_for_actions
from tests.support.bitbucket import sandbox as serve_sandbox

STEPS = ("proposal_recorded", "precondition_checked", "intent_recorded", "request_sent", "receipt_recorded")


class Scene:
    """A served Bitbucket with failed pipelines, proposals to run them again, and a database."""

    def __init__(self, served, database: str, repositories: int) -> None:
        self.served = served
        self.url = served.url + "/2.0"
        self.database = database
        self.proposals: list[Action] = []
        for number in range(repositories):
            slug = f"shop{number}"
            served.world.add_repository(slug)
            run = served.world.push(slug, "flaky")
            served.clock.forward(minutes=10)
            with served.client() as client:
                pipeline = client.pipeline(slug, run.uuid)
            assert pipeline.failed
            self.proposals.append(rerun_action(pipeline, f"acme/{slug}", "a blip", (), ""))

    def start(self, die_at: str = "", later: timedelta = NOW) -> Any:
        return start_process(self.url, self.database, die_at, self.proposals, later)

    def die_at(self, step: str) -> int:
        """Runs a process until it kills itself; returns its exit code."""
        process = self.start(step)
        process.join(PATIENCE)
        return int(process.exitcode)

    def finish(self) -> list[str]:
        """The next start of the crew: proposes the same again, as a crew that looks anew does."""
        return carry_out(self.url, self.database, "", self.proposals, later=timedelta(hours=1))

    def reruns(self) -> list[int]:
        """How often each pipeline was run again, by the server's own count."""
        return [len(entry.runs) - 1 for entry in self.served.world.repositories.values()]

    def audit_problems(self, data_dir: Path) -> tuple[str, ...]:
        engine = open_database(self.database)
        try:
            return verify(engine, data_dir / FILE_NAME).problems
        finally:
            engine.dispose()


@pytest.fixture
def scene(tmp_path):
    with serve_sandbox() as served:
        yield lambda repositories=1: Scene(served, f"sqlite:///{tmp_path / 'crew.db'}", repositories)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_each_step_it_is_sent_exactly_once(scene, tmp_path, step: str) -> None:
    world = scene()
    assert world.die_at(step) == -signal.SIGKILL
    assert world.reruns() == [1 if step in ("request_sent", "receipt_recorded") else 0]
    assert world.finish() == ["sent"]
    assert world.reruns() == [1]
    assert world.audit_problems(tmp_path / "crew-data") == ()


@pytest.mark.parametrize(("fault", "reached"), [("drop_before", 0), ("drop_after", 1)])
def test_killed_again_while_asking_what_arrived(scene, tmp_path, fault: str, reached: int) -> None:
    world = scene()
    world.served.world.faults.add(fault, method="POST", path="/pipelines")
    assert world.die_at("asked_whether_it_arrived") == -signal.SIGKILL
    assert world.reruns() == [reached]
    assert world.finish() == ["sent"]
    assert world.reruns() == [1]
    assert world.audit_problems(tmp_path / "crew-data") == ()


def test_killed_at_random_moments_and_two_at_a_time_nothing_is_lost_or_doubled(scene, tmp_path) -> None:
    dice = random.Random(4)
    world = scene(repositories=6)
    for number in range(3):
        later = timedelta(minutes=5 * number)  # those who were killed before are dead by now
        before, pair = sum(world.reruns()), [world.start(later=later), world.start(later=later)]
        deadline = time.monotonic() + PATIENCE
        while sum(world.reruns()) == before and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(dice.uniform(0, 0.05))
        for process in pair:
            process.kill()
            process.join(PATIENCE)
        assert sum(world.reruns()) > before
    assert world.finish() == ["sent"] * 6
    assert world.reruns() == [1] * 6
    assert world.audit_problems(tmp_path / "crew-data") == ()


def test_killed_while_the_request_hangs_that_is_accepted_and_listed_late_it_is_sent_once(scene, tmp_path) -> None:
    """Accepted 75 s after the sender was killed, and shown 90 s after that: nobody may have sent it again by then."""
    world = scene()
    faults = world.served.world.faults
    faults.add("late", method="POST", seconds=PATIENCE)
    process = world.start()
    deadline = time.monotonic() + PATIENCE
    while not faults.delayed and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join(PATIENCE)
    engine = open_database(world.database)
    with world.served.client() as client:
        for minute in range(20):
            world.served.clock.forward(minutes=1)
            later = timedelta(minutes=minute)
            execution = Execution(engine, settings_for_actions(), lambda later=later: utc_now() + later, no_uptime)
            execution.advance([RerunPipeline(client)])
    (record,) = execution.list()
    engine.dispose()
    assert record.receipt is not None
    assert world.reruns() == [1]
    assert world.audit_problems(tmp_path / "crew-data") == ()
