"""`crew conversations`: lists, shows and deletes."""

import json
from datetime import UTC, datetime

import pytest

from cli.person import person
from opscrew.memory.conversations import Conversations
from opscrew.memory.turns import ToldFact
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.crew_command import CrewCommand

ME = person()
NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    return CrewCommand(monkeypatch, capsys)


@pytest.fixture
def identity() -> str:
    engine = open_database(Settings().database_url)
    kept = Conversations(engine, lambda: NOON)
    said = kept.add(kept.start(ME), "why is #42 red?", "A test fails.", facts=[ToldFact("E1", "step Test failed")])
    kept.add(said, "since when?", "Since nine.")
    engine.dispose()
    return said.id


def test_list_shows_the_title_and_how_many_turns(crew, identity) -> None:
    found = crew("conversations", "list")
    assert crew("conversations").out == found.out
    assert identity in found.out
    assert "2 turns" in found.out
    assert max(map(len, found.out.splitlines())) <= 80
    row = json.loads(crew("conversations", "list", "--json", "--person", ME).out)
    assert (row["id"], row["turns"], row["title"]) == (identity, 2, "why is #42 red?")
    assert crew("conversations", "list", "--json", "--person", "bob").out == ""


def test_show_prints_questions_and_answers(crew, identity) -> None:
    found = crew("conversations", "show", identity[:5])
    assert found.out.index("why is #42 red?") < found.out.index("A test fails.") < found.out.index("since when?")
    shown = json.loads(crew("conversations", "show", identity, "--json").out)
    assert shown["turns"][0]["facts"] == [{"id": "E1", "text": "step Test failed"}]


@pytest.fixture
def of_ann() -> str:
    engine = open_database(Settings().database_url)
    kept = Conversations(engine, lambda: NOON)
    said = kept.add(kept.start("ann"), "is my secret project red?", "It is.")
    engine.dispose()
    return said.id


def test_another_persons_conversation_is_neither_listed_nor_shown_nor_carried_on(crew, identity, of_ann) -> None:
    assert of_ann not in crew("conversations", "list").out
    for command in (("conversations", "show"), ("conversations", "delete"), ("ask", "why?", "--conversation")):
        refused = crew(*command, of_ann)
        assert (refused.code, "there is no conversation" in refused.err) == (1, True)
        assert "secret project" not in refused.out + refused.err
    assert of_ann in crew("conversations", "list", "--all").out
    assert "secret project" in crew("conversations", "show", of_ann, "--all").out
    assert crew("conversations", "delete", of_ann, "--all").code == 0


def test_nothing_of_a_deleted_conversation_is_left_on_disk(crew, identity) -> None:
    def holds_it() -> bool:
        files = [file for file in Settings().data_dir.rglob("*") if file.is_file()]
        return any(b"why is #42 red" in file.read_bytes() for file in files)

    assert holds_it()
    assert crew("conversations", "delete", identity).code == 0
    assert not holds_it()


def test_delete_is_for_good(crew, identity) -> None:
    assert crew("conversations", "delete", identity).code == 0
    gone = crew("conversations", "show", identity)
    assert (gone.code, "there is no conversation" in gone.err) == (1, True)
    assert "No conversations yet" in crew("conversations", "list").out
