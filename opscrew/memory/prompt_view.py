"""What of a conversation goes into a prompt: a running summary, what recall finds, and the last turns.

Made by code, with or without a model: a summary written by a small model drops the very names and numbers that a
follow-up asks for. Each part has its share of the budget and what it leaves goes to the next, so the view of two
hundred turns is as long as the view of ten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opscrew.memory.recalled_turns import recall_turns
from opscrew.memory.summary import shortened, summary_lines
from opscrew.memory.turns import Conversation, Turn

CountTokens = Callable[[str], int]

LAST_TURNS = 6
"""At most so many turns word for word; what a follow-up leans on is nearly always among them."""

LAST_SHARE, RECALL_SHARE = 0.5, 0.25
"""Of the budget. The summary gets the rest, at least a quarter."""

LONGEST_WORD_FOR_WORD = 600
"""Characters of one turn's answer; the facts themselves are gathered anew for each question."""

LETTERS_PER_TOKEN = 5
"""Of one word. `make bench` holds the estimate against a real tokenizer: never below it for a whole prompt."""


@dataclass(frozen=True)
class PromptView:
    """``text`` is ready for a prompt and at most the budget long."""

    summary: tuple[str, ...]
    recalled: tuple[Turn, ...]
    last: tuple[Turn, ...]
    text: str
    tokens: int


def estimated_tokens(text: str) -> int:
    """For when no tokenizer is at hand: a token for every five Latin letters of a word, and for each other character.
    Small models have a token for each digit, so lines full of times and names cost twice what their length suggests."""
    words = sum(-(-len(word) // LETTERS_PER_TOKEN) for word in re.findall(r"[A-Za-z]+", text))
    return words + len(re.findall(r"[^A-Za-z\s]", text)) + 1 if text else 0


def prompt_view(
    conversation: Conversation, budget_tokens: int, *, question: str = "", count: CountTokens = estimated_tokens
) -> PromptView:
    """``question`` is the one that is being asked now: recall looks for it among the turns that are not shown."""
    said = conversation.turns
    last = _fitting(_reversed(said[-LAST_TURNS:]), int(budget_tokens * LAST_SHARE), count)
    last = _reversed(last)
    older = said[: len(said) - len(last)]
    left = budget_tokens - _cost(last, count)
    recalled = _fitting(recall_turns(older, question), min(left, int(budget_tokens * RECALL_SHARE)), count)
    recalled = tuple(sorted(recalled, key=lambda turn: turn.number))
    # Three headings, and a line break for each piece, are paid for here.
    left -= _cost(recalled, count) + 3 * count("Earlier in this conversation, recalled for the question:\n")
    summary = _lines_fitting(summary_lines(older), left, count)
    text = _text(summary, recalled, last)
    return PromptView(summary, recalled, last, text, count(text))


def _text(summary: Sequence[str], recalled: Sequence[Turn], last: Sequence[Turn]) -> str:
    parts = []
    if summary:
        parts.append("Earlier in this conversation, in short:\n" + "\n".join(summary))
    if recalled:
        parts.append("Recalled for the question:\n" + "\n".join(map(_spoken, recalled)))
    if last:
        parts.append("Last turns:\n" + "\n".join(map(_spoken, last)))
    return "\n".join(parts)


def _spoken(turn: Turn) -> str:
    question, answer = shortened(turn.question, LONGEST_WORD_FOR_WORD), shortened(turn.words, LONGEST_WORD_FOR_WORD)
    return f"[{turn.number}] They asked: {question}\n[{turn.number}] You answered: {answer}"


def _fitting(candidates: Sequence[Turn], budget: int, count: CountTokens) -> tuple[Turn, ...]:
    """The longest head of the list that fits."""
    kept: list[Turn] = []
    for turn in candidates:
        budget -= count(_spoken(turn) + "\n")
        if budget < 0:
            break
        kept.append(turn)
    return tuple(kept)


def _lines_fitting(lines: Sequence[str], budget: int, count: CountTokens) -> tuple[str, ...]:
    """The first line, since the beginning is what nobody else remembers, then the newest that fit, in order."""
    if not lines:
        return ()
    kept: list[int] = []
    for place in (0, *range(len(lines) - 1, 0, -1)):
        budget -= count(lines[place] + "\n")
        if budget < 0:
            break
        kept.append(place)
    return tuple(lines[place] for place in sorted(kept))


def _cost(said: Sequence[Turn], count: CountTokens) -> int:
    return sum(count(_spoken(turn) + "\n") for turn in said)


def _reversed(said: Sequence[Turn]) -> tuple[Turn, ...]:
    return tuple(reversed(said))
