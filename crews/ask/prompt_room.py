"""How much evidence a prompt may hold, so that all prompts of one question stay within what a CPU reads while a person
waits.

Role, wording, tools, question and conversation differ from prompt to prompt; the evidence gets what they leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from crews.team.account import Account
from crews.team.prompts import fixed_tokens
from crews.team.roles import Role, TaskText
from crews.team.toolbox import ToolSpec
from opscrew.answer.tokens import CountTokens
from opscrew.redaction import redact

PROMPT_TOKENS = 2_000
"""Of everything that a host reads for one question, over all its calls."""

MOST_CALLS = 2
"""For one question: its meaning and its answer, or its answer and a tool."""

PACKET_TOKENS = 1_150
"""Of evidence at most: more of it is further down the list and seldom decides."""

TOOL_CALL_TOKENS = 600
"""Kept for the call of a tool, where one may be asked for: role, question, the tool itself and the best facts."""

QUESTION_TOKENS = 400
"""Of a question that the model is shown; a pasted log is longer, and its beginning has to do."""


def room_for_packet(
    role: Role, task: TaskText, question: str, tools: Sequence[ToolSpec], said_before: str, account: Account
) -> int:
    """Tokens that are left for evidence; 0 where nothing is."""
    offered = tools if account.calls_left > 1 else ()
    fixed = fixed_tokens(role, task, question, offered, account.count) + account.count(said_before)
    kept = TOOL_CALL_TOKENS if offered else 0
    return max(0, min(PACKET_TOKENS, account.tokens_left - kept - fixed))


def shown_question(question: str, count: CountTokens) -> str:
    """As much of it as a prompt has room for, without secrets: people paste what they have."""
    question = redact(question)
    while count(question) > QUESTION_TOKENS:
        question = question[: len(question) * QUESTION_TOKENS // (count(question) + 1)]
    return question
