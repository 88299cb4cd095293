"""`crew ask` and `crew chat`: JSON that stands alone, words for people, exit codes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from opscrew.memory.embedding import DEFAULT_MODEL
from opscrew.memory.recall import index_folder, model_folder
from opscrew.memory.snapshot import write_snapshot
from tests.support.answer_limits import UNHURRIED
from tests.support.crew_command import CrewCommand
from tests.support.crew_program import crew as crew_program
from tests.support.embedding_model import place_converted_model


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path, unhurried) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


def test_json_has_the_promised_shape_and_nothing_else_is_printed(crew) -> None:
    ran = crew("ask", "--facts", "--json", "is anything wrong?")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert set(told) == {
        "answer", "facts", "claims", "actions", "usage", "seconds", "unavailable", "not_measured", "conversation",
    }  # fmt: skip
    assert set(told["facts"][0]) == {"id", "source", "time", "text"}
    assert told["claims"] == {"kept": 0, "dropped": 0}
    assert told["usage"] == {"model": "none", "calls": 0, "prompt_tokens": 0, "output_tokens": 0}


def test_a_crew_that_has_not_looked_does_not_say_that_all_is_well(crew) -> None:
    assert "No crew has looked yet" in crew("ask", "is everything ok?").out


def test_a_conversation_goes_on_by_its_id(crew) -> None:
    first = json.loads(crew("ask", "--json", "what failed yesterday?").out)
    second = json.loads(crew("ask", "--json", "--conversation", first["conversation"][:6], "what did I ask?").out)
    assert second["conversation"] == first["conversation"]
    assert "what failed yesterday?" in second["answer"]


def test_text_fits_the_screen(crew) -> None:
    ran = crew("ask", "how", "do", "I", "fix", "a", "crash", "looping", "pod?")
    assert "POD_CRASH_LOOPING" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("ask",), 2),
        (("ask", "  "), 2),
        (("ask", "--deadline", "soon", "why?"), 2),
        (("ask", "--deadline", "0s", "why?"), 2),
        (("ask", "--conversation", "nope", "why?"), 1),
    ],
)
def test_mistakes_are_told_in_two_lines(crew, arguments, code) -> None:
    ran = crew(*arguments)
    assert ran.code == code
    assert ran.err.startswith("crew: ")
    assert len(ran.err.splitlines()) == 2


def test_a_chat_answers_line_by_line(crew, monkeypatch) -> None:
    lines = "is anything wrong?\n/evidence\n/why\n/nope\n/new\n/help\n/quit\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    ran = crew("chat")
    assert ran.code == 0
    assert ran.out.count("conversation ") >= 2
    assert "there is no /nope." in ran.out
    assert "A new conversation." in ran.out
    assert "Ctrl-C stops an answer." in ran.out


LATE = f"""{UNHURRIED}
import threading
import crews.ask.gather.knowledge as knowledge
from opscrew.memory.embedding import MiniLm
given_up = threading.Event()
load, within = MiniLm._load, knowledge.within
def loads_late(self):
    given_up.wait()
    return load(self)
def gives_up_at_once(coming, seconds):
    found = within(coming, 0)
    given_up.set()
    return found
MiniLm._load, knowledge.within = loads_late, gives_up_at_once
"""
"""The model begins to load at the moment when nobody waits for it any more, however fast or busy the machine is."""


def test_a_command_that_ends_while_the_embedding_model_loads_ends_well(tmp_path, pytestconfig) -> None:
    """As on a busy machine: the facts are shown by words alone, and the process must not die of the late thread."""
    place_converted_model(pytestconfig.cache, model_folder(tmp_path / "data"))
    index_folder(tmp_path / "data").mkdir()
    write_snapshot(index_folder(tmp_path / "data"), DEFAULT_MODEL, ["a#1"], ["a"], np.ones((1, 384), np.float32))
    asked = crew_program(tmp_path, "ask", "--facts", "--json", "how do I fix a full disk?", first=LATE)
    assert (asked.returncode, asked.stderr) == (0, "")
    facts = [fact["text"] for fact in json.loads(asked.stdout)["facts"]]
    assert any("searched by words alone" in fact for fact in facts), facts


def test_libraries_of_the_model_print_nothing_of_their_own(tmp_path) -> None:
    model = {"CREW_MODEL__NAME": "ollama_chat/x", "CREW_MODEL__URL": "http://127.0.0.1:9"}
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CREW_DATA_DIR": str(tmp_path / "data")} | model
    program = [sys.executable, str(Path(__file__).resolve().parents[2] / "main.py"), "ask", "--json", "is it well?"]
    ran = subprocess.run(program, env=environment, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert json.loads(ran.stdout)["usage"]["calls"] == 0
