"""The text of a prompt: what never changes first, what changes last, so that the host's prefix cache is of use.

crewai puts the role before this text and the expected output after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from crews.team.roles import TaskText
from crews.team.toolbox import ToolSpec
from opscrew.memory.prompt_view import estimated_tokens

ROOM_FOR_THE_REST = 900
"""Tokens kept for role, task wording, question and three tools."""

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


def packet_that_fits(packet: str, context_tokens: int, answer_tokens: int) -> str:
    """The packet, cut at a line when it is larger than the model reads, with a line that says so."""
    room = context_tokens - answer_tokens - ROOM_FOR_THE_REST
    if estimated_tokens(packet) <= room:
        return packet
    lines = packet.splitlines()
    kept: list[str] = []
    used = 0
    for line in lines:
        used += estimated_tokens(line)
        if used > room:
            break
        kept.append(line)
    left_out = len(lines) - len(kept)
    return "\n".join([*kept, f"({left_out} more lines of evidence were left out because they do not fit)"])


def _first_sentence(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line.split(". ")[0][:100]
