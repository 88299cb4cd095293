"""Background work makes way for people, also for those who ask in another process."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from crews.team.budget import Ending, RunBudget
from crews.team.people import People
from crews.team.queue import Priority
from crews.team.reason import Reasoner
from crews.team.roles import ROOT
from demo.ollama.script import answers
from opscrew.settings import ModelSettings
from tests.support.daemon import until
from tests.support.model_host import team_with

A_PERSON = """
import sys
from pathlib import Path
from crews.team.people import People
with People(Path(sys.argv[1])).asking():
    print("asking", flush=True)
    sys.stdin.read()
"""
LONG = " ".join(f"Sentence {number} tells of step {number * 7}." for number in range(60))


@contextmanager
def a_person_elsewhere(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", A_PERSON, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "asking\n"
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            stream.close()


def in_the_background(reasoner: Reasoner, found: list[Any], seconds: float = 200) -> threading.Thread:
    def ask() -> None:
        budget = RunBudget(deadline_seconds=seconds)
        found.append(reasoner.reason("explain_alert", "E1: background", priority=Priority.BACKGROUND, budget=budget))

    thread = threading.Thread(target=ask)
    thread.start()
    return thread


def test_a_person_is_seen_as_long_as_their_process_lives(tmp_path: Path) -> None:
    people = People(tmp_path)
    assert not people.ask_now()
    with a_person_elsewhere(tmp_path) as process:
        assert people.ask_now()
        process.kill()
        process.wait()
        assert not people.ask_now()
    with people.asking(), people.asking():
        assert people.ask_now()
    assert not people.ask_now()


def test_many_who_look_at_once_take_nobody_for_a_person(tmp_path: Path) -> None:
    people, seen = People(tmp_path), []

    def look() -> None:
        for _ in range(20):
            seen.append(people.ask_now())

    threads = [threading.Thread(target=look) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen.count(True) < len(seen) / 10


def test_a_folder_where_nothing_can_be_written_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    people = People(tmp_path / "file")
    with people.asking():
        assert not people.ask_now()


def test_background_work_waits_while_a_person_asks_in_another_process(tmp_path: Path) -> None:
    found: list[Any] = []
    with team_with(tmp_path, answers("Fine (E1).")) as setup:
        with a_person_elsewhere(tmp_path):
            late: list[Any] = []
            in_the_background(setup.reasoner, late, seconds=1).join(100)
            assert (late[0].ended_because, setup.script.asked) == (Ending.DEADLINE, [])
            thread = in_the_background(setup.reasoner, found)
        thread.join(200)
    assert [one.text for one in found] == ["Fine (E1)."]


def test_a_long_background_answer_makes_way_and_is_asked_again(tmp_path: Path) -> None:
    def speak(asked: dict[str, Any]) -> Any:
        first = len(setup.script.asked) == 1
        return answers(LONG if first else "Done (E1).", tokens_per_second=5 if first else None)(asked)

    found: list[Any] = []
    with team_with(tmp_path, speak) as setup:
        thread = in_the_background(setup.reasoner, found)
        until(lambda: setup.script.asked)
        with a_person_elsewhere(tmp_path):
            until(lambda: setup.script.cut)
            assert len(setup.script.asked) == 1
        thread.join(200)
    assert [(one.text, one.ended_because) for one in found] == [("Done (E1).", Ending.ANSWERED)]
    assert (setup.script.cut, len(setup.script.asked)) == (1, 2)


def test_a_person_who_asks_is_seen_by_others_until_the_answer_is_there(tmp_path: Path) -> None:
    elsewhere = People(tmp_path)
    with team_with(tmp_path, answers("Yes (E1).", silent_seconds=3)) as setup:
        asking = threading.Thread(target=setup.reasoner.reason, args=("answer_question", "E1: a", "Why?"))
        asking.start()
        until(elsewhere.ask_now)
        asking.join(100)
    assert not elsewhere.ask_now()


@pytest.fixture(scope="module", autouse=True)
def libraries_are_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Importing crewai takes seconds, which must not count against the short deadlines of these tests."""
    Reasoner(ModelSettings(name="ollama_chat/any"), tmp_path_factory.mktemp("import"))._import()
