"""Two hundred turns fit the budget and still answer about the first."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opscrew.memory.prompt_view import estimated_tokens, prompt_view
from opscrew.memory.summary import summary_lines
from opscrew.memory.turns import Conversation, Turn

START = datetime(2026, 10, 6, 8, tzinfo=UTC)
FIRST = Turn(
    1,
    START,
    "why did the nightly backup of payments fail?",
    "The backup of payments failed at 02:14 because bucket acme-dumps refused the key. It was rotated the day before.",
    "why_failed",
    "CronJob prod/payments/backup",
)


def conversation(count: int) -> Conversation:
    topics = ("volume of search", "latency of shop", "runner disk", "cost of logging", "pods of checkout")
    later = [
        Turn(
            number,
            START + timedelta(minutes=number),
            f"how is the {topics[number % 5]} today?",
            f"The {topics[number % 5]} stands at {number} units. " + "Nothing else was found there. " * 10,
            "status",
            f"Subject {topics[number % 5]}",
        )
        for number in range(2, count + 1)
    ]
    return Conversation("c1", "ann", FIRST.question, START, START, (FIRST, *later))


@pytest.mark.parametrize("question", ["what did I ask first?", "why did the backup of payments fail again?", "turn 1?"])
def test_two_hundred_turns_fit_and_the_first_is_recalled(question: str) -> None:
    view = prompt_view(conversation(200), 800, question=question)
    assert view.tokens <= 800
    assert FIRST in view.recalled
    assert "acme-dumps" in view.text
    assert view.last[-1].number == 200


def test_the_summary_alone_still_tells_how_it_began() -> None:
    view = prompt_view(conversation(200), 800, question="thanks")
    assert view.summary[0].startswith("Turn 1, CronJob prod/payments/backup")
    assert "acme-dumps refused the key" in view.summary[0]


def test_the_view_does_not_grow_with_the_conversation() -> None:
    short, long = (prompt_view(conversation(count), 800, question="and now?").tokens for count in (20, 200))
    assert abs(short - long) < 200


def test_a_short_conversation_is_shown_word_for_word() -> None:
    view = prompt_view(conversation(2), 2000)
    assert (view.summary, view.recalled, len(view.last)) == ((), (), 2)
    assert prompt_view(Conversation("c", "", "", START, START), 800).text == ""


def test_neighbouring_turns_about_one_subject_are_one_line() -> None:
    same = [Turn(n, START, f"q{n}", f"Answer {n}. More.", "status", "Pod a/b") for n in (1, 2, 3)]
    assert summary_lines(same) == ['Turns 1-3, Pod a/b (status): asked "q3"; told: Answer 3.']


@settings(max_examples=40, deadline=None)
@given(count=st.integers(0, 60), budget=st.integers(0, 1500), question=st.text(max_size=60))
def test_the_budget_is_never_exceeded(count: int, budget: int, question: str) -> None:
    told = conversation(count) if count else Conversation("c", "", "", START, START)
    view = prompt_view(told, budget, question=question)
    assert view.tokens <= budget
    assert view.tokens == estimated_tokens(view.text)
    numbers = [turn.number for turn in (*view.recalled, *view.last)]
    assert numbers == sorted(set(numbers))
