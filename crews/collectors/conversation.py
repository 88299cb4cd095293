"""What was said earlier in this conversation, for questions about it."""

from __future__ import annotations

from collections.abc import Sequence

from crews.collectors.collector import Request
from opscrew.answer.packet import Fact
from opscrew.memory.recalled_turns import recall_turns
from opscrew.memory.summary import shortened

LONG = 300
"""Characters of an answer that is told again."""


def collect(request: Request) -> Sequence[Fact]:
    """The turns that the question points at; the last one where it points at none."""
    if request.conversation is None or not request.conversation.turns:
        return []
    turns = request.conversation.turns
    found = recall_turns(turns, request.question)[:4] or [turns[-1]]
    return [
        Fact(
            f"conversation turn {turn.number}",
            f'turn {turn.number}: they asked "{shortened(turn.question, 160)}"; told: {shortened(turn.answer, LONG)}',
            turn.asked_at,
            weight=10 - place,
        )
        for place, turn in enumerate(found)
    ]
