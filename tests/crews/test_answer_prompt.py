"""A prompt as a whole stays within what a CPU reads while a person waits."""

from crews.answer_prompt import LEAST_PACKET_TOKENS, PACKET_TOKENS, PROMPT_TOKENS, room_for_packet
from crews.team.roles import load_team
from opscrew.memory.prompt_view import estimated_tokens

TEAM = load_team()
ROLE, TASK = TEAM.roles["sre"], TEAM.tasks["answer_question"]


def room(question: str = "is anything wrong?", said_before: str = "") -> int:
    return room_for_packet(ROLE, TASK, question, (), said_before, estimated_tokens)


def test_a_short_question_leaves_the_whole_room() -> None:
    assert room() == PACKET_TOKENS


def test_what_was_said_before_and_a_pasted_log_take_from_the_evidence() -> None:
    said = "They asked: why did #12 fail at 12:13? " * 40
    assert room(said_before=said) <= PROMPT_TOKENS - estimated_tokens(said)
    assert room(question="error 503 at 12:13:14 " * 60) < PACKET_TOKENS


def test_the_best_facts_are_always_in_it() -> None:
    assert room(question="word " * 3_000) == LEAST_PACKET_TOKENS
