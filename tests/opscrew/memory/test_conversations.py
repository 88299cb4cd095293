"""Conversations are kept whole, know what was told, and can be deleted for good."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from opscrew.errors import CrewError
from opscrew.memory.conversations import Conversations
from opscrew.memory.turns import ToldFact, already_told
from opscrew.store.tables.conversations import told_facts, turns

FACT = ToldFact("E1", "acme/shop#42 failed in step Test at 09:14")


def test_a_conversation_comes_back_as_it_was(database, clock) -> None:
    kept = Conversations(database, clock)
    first = kept.add(kept.start("ann"), "why is #42 red?", "A test fails.", intent="why", subject="#42", facts=[FACT])
    clock.forward(minutes=3)
    second = kept.add(first, "and now?", "It passed.")
    assert kept.get(second.id[:6]) == second
    assert [turn.number for turn in second.turns] == [1, 2]
    assert second.turns[0].facts == (FACT,)
    assert (second.title, second.started_at) == ("why is #42 red?", first.started_at)
    assert second.last_at == clock()


def test_an_empty_start_leaves_nothing(database, clock) -> None:
    kept = Conversations(database, clock)
    kept.start("ann")
    assert kept.list() == []


def test_what_was_told_is_known_in_this_conversation_and_for_this_person(database, clock) -> None:
    kept = Conversations(database, clock)
    said = kept.add(kept.start("ann"), "q", "a", facts=[FACT])
    same_words = "ACME/shop#42  failed in step Test at 09:14"
    changed = FACT.text.replace("09:14", "09:15")
    assert already_told(said, [FACT.text, same_words, changed]) == {FACT.text: 1, same_words: 1}
    assert kept.told("ann", [FACT.text, changed]) == {FACT.text: clock()}
    assert kept.told("bob", [FACT.text]) == {}
    clock.forward(days=31)
    assert kept.told("ann", [FACT.text]) == {}


def test_a_fact_is_recognised_after_its_secret_was_taken_out(database, clock) -> None:
    kept = Conversations(database, clock)
    secret = "login with password=hunter2hunter2 failed"
    said = kept.add(kept.start("ann"), secret, "a", facts=[ToldFact("E1", secret)])
    assert "hunter2" not in str(said)
    assert list(kept.told("ann", [secret])) == [secret]


def test_lists_are_newest_first_and_by_person(database, clock) -> None:
    kept = Conversations(database, clock)
    for person in ("ann", "bob", "ann"):
        clock.forward(minutes=1)
        kept.add(kept.start(person), f"{person} asks", "a")
    assert [found.person for found, _ in kept.list()] == ["ann", "bob", "ann"]
    assert [(found.title, count) for found, count in kept.list("bob")] == [("bob asks", 1)]


def test_deleting_takes_turns_and_memory_with_it(database, clock) -> None:
    kept = Conversations(database, clock)
    said = kept.add(kept.start("ann"), "q", "a", facts=[FACT])
    assert kept.delete(said.id) == said.id
    with database.connect() as connection:
        assert connection.execute(select(turns)).all() == connection.execute(select(told_facts)).all() == []
    with pytest.raises(CrewError, match="there is no conversation"):
        kept.get(said.id)
    with pytest.raises(CrewError, match="was deleted"):
        kept.add(said, "still there?", "no")


def test_old_ones_are_forgotten_after_the_kept_days(database, clock) -> None:
    kept = Conversations(database, clock)
    kept.add(kept.start("ann"), "old", "a")
    clock.forward(days=10)
    recent = kept.add(kept.start("ann"), "recent", "a")
    clock.forward(days=1)
    assert kept.forget_old(keep_days=5) == 1
    assert [found.id for found, _ in kept.list()] == [recent.id]


def test_two_writers_never_take_the_same_number(database, clock) -> None:
    kept = Conversations(database, clock)
    said = kept.add(kept.start("ann"), "q0", "a")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: kept.add(said, f"q{n}", "a"), range(1, 9)))
    assert [turn.number for turn in kept.get(said.id).turns] == list(range(1, 10))


def test_huge_and_odd_text_is_capped_and_stored(database, clock) -> None:
    kept = Conversations(database, clock)
    said = kept.add(kept.start("x" * 500), "\x00\ud800 q" + "y" * 99_999, "z" * 99_999)
    assert len(said.turns[0].question) <= 8_000
    assert len(said.turns[0].answer) <= 40_000
    assert len(said.person) <= 128


def test_a_persons_questions_come_back_oldest_first_and_nobody_elses(database, clock) -> None:
    kept = Conversations(database, clock)
    for person, question in (("ann", "one?"), ("bob", "mine?"), ("ann", "two?"), ("ann", "password=hunter2hunter2?")):
        clock.forward(minutes=1)
        said = kept.add(kept.start(person), question, "a")
    asked = kept.questions("ann", limit=3)
    assert asked[:2] == ["one?", "two?"]
    assert "hunter2" not in str(asked)
    kept.delete(said.id)
    assert kept.questions("ann", limit=3) == ["one?", "two?"]
