"""How much evidence a prompt may hold, so that the whole of it stays within what a CPU reads while a person waits.

Role, wording, tools, question and conversation differ from prompt to prompt; the evidence gets what they leave.
"""

from __future__ import annotations

from collections.abc import Sequence

from crews.team.prompts import prompt_for
from crews.team.roles import Role, TaskText
from crews.team.toolbox import ToolSpec
from opscrew.answer.tokens import CountTokens

PROMPT_TOKENS = 2_000
"""Of everything that a host reads for one call."""

PACKET_TOKENS = 1_150
"""Of evidence at most: more of it is further down the list and seldom decides."""

LEAST_PACKET_TOKENS = 300
"""Even beside a very long question: the best facts are what the answer is made of."""

FRAME_TOKENS = 110
"""What crewai writes around role and task, and the template of the chat."""

LONGEST_QUESTION = 1_500
"""Characters that the model is shown; a pasted log is longer, and its beginning has to do."""


def room_for_packet(
    role: Role, task: TaskText, question: str, tools: Sequence[ToolSpec], said_before: str, count: CountTokens
) -> int:
    """Tokens that are left for evidence."""
    texts = (role.role, role.goal, role.backstory, task.expected_output, said_before)
    fixed = sum(map(count, texts)) + count(prompt_for(task, "", question, tools)) + FRAME_TOKENS
    return max(LEAST_PACKET_TOKENS, min(PACKET_TOKENS, PROMPT_TOKENS - fixed))
