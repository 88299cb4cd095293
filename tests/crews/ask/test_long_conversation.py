"""Two hundred turns, the whole way of a question: within the budget, and the first turn is still known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crews.ask.answer import Answer
from crews.ask.job import Question, answer_question
from crews.ask.prose import Writer
from crews.runtime.context import CrewContext
from demo.ollama.app import create_app
from demo.ollama.script import Script, answers
from demo.serving import serve
from opscrew.memory.conversations import Conversations
from opscrew.memory.turns import ToldFact
from opscrew.settings import ModelSettings
from tests.support.asking import crew_at
from tests.support.model_host import import_libraries

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
FIRST = "have we seen the zorbax broker lose its quorum?"
TOLD = "What I remember:\n- The Zorbax broker lost its quorum; its clock was set again [E1]."
TOPICS = ("disk of search", "latency of shop", "runners", "cost of logging", "pods of checkout", "alerts of web")


def talk(crew: CrewContext, turns: int) -> str:
    """The id of a conversation that is already so long."""
    book = Conversations(crew.engine, crew.clock)
    said = book.start("ada")
    book.add(said, FIRST, TOLD, intent="history", facts=[ToldFact("E1", "The Zorbax broker lost its quorum.")])
    for number in range(2, turns):
        topic = TOPICS[number % len(TOPICS)]
        said = book.get(said.id)
        book.add(said, f"how are the {topic}?", f"The {topic} stand at {number} [E2].", intent="open_findings")
    book.add(book.get(said.id), "thanks", "I watch your pipelines.", intent="help")
    return said.id


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[CrewContext]:
    with crew_at(NOW, tmp_path) as made:
        yield made


def ask(crew: CrewContext, conversation: str, text: str) -> Answer:
    before = Conversations(crew.engine, crew.clock).get(conversation)
    return answer_question(crew, Question(text, before, "ada"))


@pytest.mark.parametrize(
    "question",
    [
        "what did I ask first?",
        "what was the first thing I asked you?",
        "what did you tell me about the zorbax broker?",
        "what did we talk about at the beginning?",
    ],
)
def test_the_first_of_two_hundred_turns_is_told_again_without_the_marks_of_then(
    crew: CrewContext, question: str
) -> None:
    conversation = talk(crew, 200)
    for _ in range(2):  # an answer that quotes is not quoted itself
        answer = ask(crew, conversation, question)
        assert answer.intent == "recall"
        assert [fact.source for fact in answer.facts] == ["conversation turn 1"]
        assert FIRST in answer.text
        assert answer.text.count("[E1]") == 1
        assert "know nothing named" not in answer.text


def test_the_latest_question_is_told_by_its_place(crew: CrewContext) -> None:
    answer = ask(crew, talk(crew, 20), "what was my last question?")
    assert [fact.source for fact in answer.facts] == ["conversation turn 20"]


@pytest.mark.parametrize("question", ["summarize our conversation", "can you recap what we discussed so far?"])
def test_a_summary_has_the_beginning_and_the_latest_and_says_what_was_told(crew: CrewContext, question: str) -> None:
    answer = ask(crew, talk(crew, 200), question)
    texts = [fact.text for fact in answer.facts]
    assert answer.intent == "recall"
    assert len(texts) == 6
    assert "The Zorbax broker lost its quorum" in texts[0]
    assert [text.split(",")[0].split(" (")[0] for text in texts[1:]] == [f"Turn {number}" for number in range(195, 200)]
    assert "stand at 199" in texts[-1]


def test_a_summary_of_greetings_alone_is_the_last_one(crew: CrewContext) -> None:
    book = Conversations(crew.engine, crew.clock)
    said = book.start("ada")
    book.add(said, "hello", "I watch your pipelines.", intent="help")
    assert [fact.source for fact in ask(crew, said.id, "summarize our conversation").facts] == ["conversation turn 1"]


def test_the_prompt_of_turn_two_hundred_holds_the_first_and_fits(tmp_path: Path) -> None:
    import_libraries(tmp_path)
    script = Script(speakers=(answers("More is not known."),))
    with serve(create_app(script)) as url:
        model = ModelSettings(name=f"ollama_chat/{script.model}", url=url)
        with crew_at(NOW, tmp_path, model=model) as crew, Writer(crew.settings) as writer:
            before = Conversations(crew.engine, crew.clock).get(talk(crew, 199))
            question = Question("is the zorbax broker well now, are there open findings?", before, "ada")
            answer = answer_question(crew, question, writer=writer)
    sent = "\n".join(str(message["content"]) for message in script.asked[-1]["messages"])
    assert answer.usage.prompt_tokens / answer.usage.calls <= 2_000
    assert "its clock was set again" in sent
    assert "set again [E1]" not in sent
    assert "stand at 198 [E2]" not in sent
    assert "stand at 198" in sent
