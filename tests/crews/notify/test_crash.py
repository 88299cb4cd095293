"""Killed at any step, a message goes out at most once, and nothing is forgotten: real processes, kill -9, a receiver
that counts."""

from __future__ import annotations

import signal
import time
from multiprocessing.process import BaseProcess

import pytest

from opscrew.clock import utc_now
from opscrew.notify.outbox import Outbox
from opscrew.store.database import open_database
from tests.support.databases import migrated_sqlite
from tests.support.http_answers import status
from tests.support.notify_program import start
from tests.support.receiver import receiver
from tests.support.telling import Telling, problem, settings_with


class Scene:
    def __init__(self, folder, hook) -> None:
        self.folder, self.hook = folder, hook
        self.database = migrated_sqlite(folder / "crew.db")
        self.run()
        self.see("data")
        hook.got.clear()

    def start(self, die_at: str = "", later: float = 0) -> BaseProcess:
        return start(self.database, str(self.folder), self.hook.url, die_at, later)

    def run(self, die_at: str = "", later: float = 0) -> int | None:
        process = self.start(die_at, later)
        process.join(120)
        return process.exitcode

    def see(self, *names: str) -> None:
        engine = open_database(self.database)
        Telling(engine, settings_with(self.folder, {}), utc_now).see(*map(problem, names))
        engine.dispose()

    def states(self) -> list[str]:
        engine = open_database(self.database)
        found = [row.state for row in Outbox(engine, utc_now).latest() if row.what == "new"]
        engine.dispose()
        return found


@pytest.fixture
def scene(tmp_path):
    with receiver() as hook:
        yield Scene(tmp_path, hook)


@pytest.mark.parametrize(("step", "arrived"), [("claimed", 0), ("sent", 1)])
def test_killed_around_sending_it_is_not_sent_twice_and_told_as_uncertain(scene, step: str, arrived: int) -> None:
    assert scene.run(step) == -signal.SIGKILL
    assert len(scene.hook.got) == arrived
    assert scene.states() == ["sending"]
    for later in (1, 5, 20):
        assert scene.run(later=later) == 0
    assert len(scene.hook.got) == arrived
    assert scene.states() == ["uncertain"]
    scene.see("data", "logs")
    assert scene.run(later=30) == 0
    last = scene.hook.got[-1]
    assert len(scene.hook.got) == arrived + 1
    assert "prod/shop/logs" in last["message"]
    assert "may not have arrived" in last["message"]


def test_killed_at_random_and_two_at_a_time_each_event_goes_out_at_most_once(scene) -> None:
    names = ["data"]
    for number in range(4):
        names.append(f"logs-{number}")
        scene.see(*names)
        pair = [scene.start(later=10 * number), scene.start(later=10 * number)]
        time.sleep(0.05 + 0.15 * number)
        for process in pair:
            process.kill()
            process.join(60)
    for later in (60, 70, 80):
        scene.run(later=later)
    told = "\n".join(
        message["message"].partition("may not have arrived")[2] or message["message"] for message in scene.hook.got
    )
    for name in names:
        assert told.count(f"prod/shop/{name}\n") + told.count(f"prod/shop/{name}`") <= 1
    # Each is told, or known as uncertain: none is lost in silence.
    assert sorted(set(scene.states())) in (["sent"], ["sent", "uncertain"], ["uncertain"])
    assert len(scene.states()) == len(names)


def test_killed_while_the_service_thinks_it_is_sent_once(scene) -> None:
    def late(handler, request) -> None:
        time.sleep(1.5)
        scene.hook.take(handler, request)

    scene.hook.faults.append(late)
    process = scene.start()
    deadline = time.monotonic() + 60
    while scene.hook.faults and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.join(60)
    time.sleep(1.6)
    scene.run(later=10)
    scene.run(later=20)
    assert len(scene.hook.got) == 1


def test_killed_after_a_certain_failure_it_is_sent_again(scene) -> None:
    scene.hook.faults.append(status(500))
    scene.run()
    assert scene.states() == ["pending"]
    scene.run(later=5)
    assert scene.states() == ["sent"]
    assert len(scene.hook.got) == 1
