"""The order in which an answer reaches a person: facts, what code says of them, what the model adds, then notes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cli.answer_text import AnswerText
from crews.ask.answer import Answer, Event
from opscrew.answer.packet import Fact

FACT = Fact("bitbucket", "#42 failed in step Test", datetime(2026, 10, 6, 12, 13, tzinfo=UTC), id="E1")
CODE = "What failed:\n- #42 failed in step Test [E1]."
ADDED = "The registry answered with 503 [E1]."
NOTE = "No answer from kubernetes, so something may be missing."


@pytest.mark.parametrize("prose", [(), (ADDED,)])
def test_what_code_says_is_printed_once_whatever_the_model_adds(prose, capsys) -> None:
    told = AnswerText(UTC, most_facts=8)
    told.heard(Event("facts", facts=(FACT,)))
    told.heard(Event("answer", CODE))
    assert CODE in capsys.readouterr().out, "before the model has been asked"
    for sentence in prose:
        told.heard(Event("prose", sentence))
    told.heard(Event("dropped", "You should scale it (it tells people what to do)"))
    text = "\n".join((CODE, *prose, NOTE))
    told.end(Answer(text, (FACT,), "c1", "failures", prose=prose, kept=len(prose), dropped=1, notes=(NOTE,)))
    lines = capsys.readouterr().out.splitlines()
    assert lines[:-2] == [*prose, NOTE]
    assert lines[-2] == "(1 sentence of the model left out: not borne out, or nothing new.)"
