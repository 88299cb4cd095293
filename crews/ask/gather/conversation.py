"""What was said earlier in this conversation, for questions about it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from crews.ask.gather.collector import Request
from opscrew.answer.packet import Fact
from opscrew.memory.recalled_turns import named_turns, recall_turns
from opscrew.memory.summary import shortened, summary_lines
from opscrew.memory.turns import Turn

LONG = 300
"""Characters of an answer that is told again."""
MOST = 4
MOST_LINES = 6
"""Of a summary: the first one, since nobody else remembers the beginning, and the newest."""
WHOLE = re.compile(r"\b(?:summar(?:y|i[sz]e\w*)|recap\w*|sum (?:it |this |that )?up|so far)\b", re.IGNORECASE)
"""A question for all that was said."""


def collect(request: Request) -> Sequence[Fact]:
    """The turns that the question points at; all in short where it asks for that; else the last one."""
    if request.conversation is None or not request.conversation.turns:
        return []
    turns = request.conversation.turns
    if WHOLE.search(request.question) and (short := _in_short(turns)):
        return short
    found = (named_turns(turns, request.question) or recall_turns(turns, request.question))[:MOST] or [turns[-1]]
    return [
        Fact(
            f"conversation turn {turn.number}",
            f'turn {turn.number}: they asked "{shortened(turn.question, 160)}"; told: {shortened(turn.words, LONG)}',
            turn.asked_at,
            weight=10 - place,
        )
        for place, turn in enumerate(found)
    ]


def _in_short(turns: Sequence[Turn]) -> Sequence[Fact]:
    lines = summary_lines(turns)
    shown = lines if len(lines) <= MOST_LINES else [lines[0], *lines[-MOST_LINES + 1 :]]
    source, at = f"conversation turns 1-{turns[-1].number}", turns[-1].asked_at
    return [Fact(source, line, at, weight=20 - place) for place, line in enumerate(shown)]
