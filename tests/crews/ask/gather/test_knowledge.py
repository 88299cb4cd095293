"""Past incidents and runbooks in answers, found by words and by meaning."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from crews.ask.gather import vectors as vectors_module
from crews.ask.job import Question, answer_question
from crews.runtime.context import CrewContext
from opscrew.memory.conversations import Conversations
from opscrew.memory.documents import Document
from opscrew.memory.library import Library
from opscrew.memory.recall import index_folder
from opscrew.memory.snapshot import write_snapshot
from opscrew.memory.turns import ToldFact
from tests.support.asking import ask, crew_at, told

pytestmark = pytest.mark.usefixtures("unhurried")
NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)


def episode(name: str, text: str, *, days: int, proven: bool | None, system: str = "kubernetes") -> Document:
    at = NOW - timedelta(days=days)
    return Document(f"episode/{name}", f"Episode {name}", text, "episode", system, happened_at=at, proven=proven)


def keep(crew: CrewContext, *documents: Document) -> None:
    for one in documents:
        Library(crew.engine, crew.clock).put(one)


def test_a_past_incident_is_found_and_cited(tmp_path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        keep(
            crew, episode("broker", "The Zorbax broker lost its quorum; its clock was set again.", days=40, proven=True)
        )
        answer = ask(crew, "have we seen the zorbax broker lose its quorum before?")
    (fact,) = [one for one in answer.facts if one.source == "knowledge episode/broker"]
    assert answer.intent == "history"
    assert "of 2026-08-27; what was done helped" in fact.text
    assert f"[{fact.id}]" in answer.text
    assert fact.time == NOW - timedelta(days=40)


def test_the_newest_and_proven_account_of_equals_comes_first_and_accounts_before_runbooks(tmp_path) -> None:
    text = "The Zorbax broker lost its quorum."
    with crew_at(NOW, tmp_path) as crew:
        keep(
            crew,
            episode("old", text, days=300, proven=None),
            episode("new", text, days=2, proven=None),
            episode("proven", text, days=2, proven=True),
            Document("note/zorbax", "Zorbax broker lost its quorum", text, "note"),
        )
        answer = ask(crew, "have we seen the Zorbax broker lose its quorum before?")
    found = [one.source for one in answer.facts if one.source.startswith("knowledge ")]
    assert found[:3] == ["knowledge episode/proven", "knowledge episode/new", "knowledge episode/old"]
    assert found[3] == "knowledge note/zorbax"


def test_this_means_what_the_answer_before_told(tmp_path) -> None:
    with crew_at(NOW, tmp_path) as crew:
        keep(
            crew, episode("broker", "The Zorbax broker lost its quorum; its clock was set again.", days=9, proven=True)
        )
        book = Conversations(crew.engine, crew.clock)
        facts = [ToldFact("E1", "Deployment prod/shop/zorbax: the broker has no quorum")]
        before = book.add(book.start("ada"), "why is it down?", "No quorum [E1].", intent="cluster_health", facts=facts)
        answer = answer_question(crew, Question("have we seen this before?", before, "ada"))
    assert any(one.source == "knowledge episode/broker" for one in answer.facts)


class Meaning:
    """Every text means the same, so that only meaning can find a document without a shared word."""

    name = "meaning"

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def embed(self, texts: list[str]) -> np.ndarray:
        if self.fails:
            raise OSError("no weights")
        return np.ones((len(texts), 4), dtype=np.float32) / 2

    def release(self) -> None:
        return


@pytest.mark.parametrize("fails", [False, True])
def test_what_shares_no_word_is_found_by_meaning_and_words_do_where_that_fails(tmp_path, monkeypatch, fails) -> None:
    vectors_module.question_vectors.cache_clear()
    monkeypatch.setattr(vectors_module, "embedder", lambda model, folder: Meaning(fails))
    rows = np.array([[1, 1, 1, 1], [1, -1, 1, -1]], dtype=np.float32) / 2
    names = ["episode/quiet", "runbook/DNS_FAILURES"]
    with crew_at(NOW, tmp_path, memory={"embedding": "meaning"}) as crew:
        folder = index_folder(crew.settings.data_dir)
        folder.mkdir(parents=True)
        write_snapshot(folder, "meaning", [f"{name}#start" for name in names], names, rows)
        keep(crew, episode("quiet", "Xylophone.", days=1, proven=None))
        text = told(ask(crew, "have we ever seen mail pile up before?"))
    vectors_module.question_vectors.cache_clear()
    assert "knowledge episode/quiet" in text or fails
    assert "searched by words alone" in text or not fails
    assert "knowledge episode/quiet" not in text or not fails
    assert "searched by words alone" not in text or fails
