"""All prompts of a question together stay within what a CPU reads while a person waits."""

import pytest

from crews.ask.prompt_room import (
    MOST_CALLS,
    PACKET_TOKENS,
    PROMPT_TOKENS,
    QUESTION_TOKENS,
    TOOL_CALL_TOKENS,
    room_for_packet,
    shown_question,
)
from crews.team.account import Account
from crews.team.roles import load_team
from opscrew.memory.prompt_view import estimated_tokens
from tests.support.model_host import log_tool

TEAM = load_team()
ROLE, TASK = TEAM.roles["sre"], TEAM.tasks["answer_question"]


def account(ratio: float = 1.0) -> Account:
    return Account(PROMPT_TOKENS, MOST_CALLS, estimated_tokens, ratio)


def room(question: str = "is anything wrong?", said_before: str = "", tools=(), spending: Account | None = None) -> int:
    return room_for_packet(ROLE, TASK, question, tools, said_before, spending or account())


def test_a_short_question_leaves_the_whole_room() -> None:
    assert room() == PACKET_TOKENS


def test_what_was_said_before_and_a_pasted_log_take_from_the_evidence() -> None:
    said = "They asked: why did #12 fail at 12:13? " * 40
    assert room(said_before=said) <= PROMPT_TOKENS - estimated_tokens(said)
    assert room(question="error 503 at 12:13:14 " * 60) < PACKET_TOKENS


def test_what_choosing_the_meaning_has_cost_is_missing_for_the_answer() -> None:
    spending = account()
    spending.correct(spending.book(900), 1_100)
    assert room(spending=spending) <= PROMPT_TOKENS - 1_100


def test_a_tool_that_may_be_asked_for_keeps_its_share_as_long_as_a_call_is_left() -> None:
    assert room(tools=[log_tool()]) <= PROMPT_TOKENS - TOOL_CALL_TOKENS
    spending = account()
    spending.book(0)
    assert room(tools=[log_tool()], spending=spending) == PACKET_TOKENS


def test_a_host_that_counts_more_leaves_less_room() -> None:
    assert room(spending=account(ratio=2.0)) < PROMPT_TOKENS / 2 < room()


@pytest.mark.parametrize("question", ["word " * 3_000, "ошибка сборки 503 " * 900, "日本語のログ" * 700, "9" * 20_000])
def test_a_pasted_log_is_shown_by_its_beginning(question: str) -> None:
    shown = shown_question(question, estimated_tokens)
    assert question.startswith(shown)
    assert QUESTION_TOKENS / 2 < estimated_tokens(shown) <= QUESTION_TOKENS
    assert room(question=shown) > 0


def test_a_secret_in_a_question_does_not_reach_the_model() -> None:
    secret = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6"
    assert secret not in shown_question(f"why is {secret} refused?", estimated_tokens)
