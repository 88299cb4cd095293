"""Finds the earlier turns that a question leans on: by place ("my first question", "turn 3") or by shared words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from opscrew.memory.turns import OF_WORDS_ALONE, Turn
from opscrew.memory.word_index import WordIndex, weighted

MOST = 4
"""Turns recalled by words. More would crowd out the evidence that is gathered for the question itself."""

BY_NUMBER = re.compile(r"\b(?:turn|question|message|answer)\s*(?:no\.?|number|#)?\s*(\d{1,4})\b", re.IGNORECASE)
BEGINNING = re.compile(
    r"\b(?:(?:first|very first|initial|original|earliest)\s+(?:thing|question|message|turn|topic|answer|problem)"
    r"|(?:did|have)\s+(?:i|we)\s+(?:ask|start|talk|begin)\w*\s+(?:\w+\s+){0,3}(?:first|with)"
    r"|(?:at|in|from)\s+the\s+(?:start|beginning|outset)"
    r"|(?:start|began|begin)\w*\s+(?:with|this conversation|our conversation|off))\b",
    re.IGNORECASE,
)

LATEST = re.compile(
    r"\b(?:last|latest|previous|most recent)\s+(?:thing|question|message|turn|topic|answer)\b", re.IGNORECASE
)


def named_turns(older: Sequence[Turn], question: str) -> list[Turn]:
    """Those that the question names by their place, oldest first."""
    named = {int(number) for number in BY_NUMBER.findall(question)}
    if older and BEGINNING.search(question):
        named.add(older[0].number)
    if older and LATEST.search(question):
        named.add(older[-1].number)
    return [turn for turn in older if turn.number in named]


def recall_turns(older: Sequence[Turn], question: str) -> list[Turn]:
    """Best first. Empty when nothing in the question points back."""
    if not older or not question.strip():
        return []
    found = named_turns(older, question)
    return found + [turn for turn in _by_words(older, question) if turn not in found]


def _by_words(older: Sequence[Turn], question: str) -> list[Turn]:
    older = [turn for turn in older if turn.intent not in OF_WORDS_ALONE]
    index = WordIndex([(f"{turn.subject} {turn.question}", turn.answer) for turn in older])
    scores = index.scores(weighted(question))
    # The newest of equals: what was said last about a subject is what holds.
    order = sorted(range(len(older)), key=lambda place: (-scores[place], -older[place].number))
    return [older[place] for place in order[:MOST] if scores[place] > 0]
