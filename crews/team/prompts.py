"""The text of a prompt: what never changes first, what changes last, so that the host's prefix cache is of use.

crewai puts the role before this text and the expected output after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from crews.team.roles import Role, TaskText
from crews.team.toolbox import ToolSpec
from opscrew.answer.tokens import CountTokens
from opscrew.memory.prompt_view import estimated_tokens

ROOM_FOR_THE_REST = 900
"""Tokens kept for role, task wording, question and three tools."""

FRAME_TOKENS = 110
"""What crewai writes around role and task, and the template of the chat."""

LEFT_OUT_TOKENS = 18
"""Of the line that says how much was left out."""

LAST_WORDS = "No more can be fetched. Give your best answer from this evidence now, and say what stays open."


def prompt_for(
    task: TaskText, packet: str, question: str, may_ask_for: Sequence[ToolSpec], *, last: bool = False
) -> str:
    """Wording and the closed list of what may be missing, then evidence, then the question."""
    parts = [task.wording]
    if may_ask_for:
        lines = [f"- {tool.name}: {_first_sentence(tool.description)}" for tool in may_ask_for]
        parts.append("Only if the evidence does not hold the answer, name under `missing` what to fetch:")
        parts.append("\n".join(lines))
    parts.append(f"Evidence:\n{packet}")
    if question:
        parts.append(f"Question: {question}")
    if last:
        parts.append(LAST_WORDS)
    return "\n\n".join(parts)


def fixed_tokens(
    role: Role,
    task: TaskText,
    question: str,
    offered: Sequence[ToolSpec],
    count: CountTokens,
    *,
    last: bool = False,
) -> int:
    """Of a whole prompt without its evidence."""
    texts = (role.role, role.goal, role.backstory, task.expected_output)
    return sum(map(count, texts)) + count(prompt_for(task, "", question, offered, last=last)) + FRAME_TOKENS


def packet_that_fits(packet: str, room: int, count: CountTokens = estimated_tokens) -> str:
    """The packet, cut at a line when it has more than ``room`` tokens, with a line that says so."""
    if count(packet) <= room:
        return packet
    lines = packet.splitlines()
    kept: list[str] = []
    used = LEFT_OUT_TOKENS
    for line in lines:
        used += count(line)
        if used > room:
            break
        kept.append(line)
    left_out = len(lines) - len(kept)
    return "\n".join([*kept, f"({left_out} more lines of evidence were left out because they do not fit)"])


def _first_sentence(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line.split(". ")[0][:100]
