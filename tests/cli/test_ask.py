"""`crew ask` and `crew chat`: JSON that stands alone, words for people, exit codes."""

import io
import json
import sys

import pytest

from tests.support.crew_command import CrewCommand


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


def test_json_has_the_promised_shape_and_nothing_else_is_printed(crew) -> None:
    ran = crew("ask", "--facts", "--json", "is anything wrong?")
    assert ran.code == 0
    told = json.loads(ran.out)
    assert set(told) == {
        "answer", "facts", "claims", "actions", "usage", "seconds", "unavailable", "conversation",
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
