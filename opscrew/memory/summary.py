"""A conversation in a few lines: what was asked about which subject, and what the answer said.

Neighbouring turns about one subject become one line. A line keeps the first sentence of the latest answer with its
names and numbers, because those are what a later question asks for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from opscrew.memory.turns import OF_WORDS_ALONE, Turn

LONGEST_SENTENCE = 160
"""Characters of a question or answer in a line: about forty tokens."""


def summary_lines(said: Sequence[Turn]) -> list[str]:
    """Oldest first: "Turns 3-5, pod shop/cart-7f (health): asked "why does it restart?"; told: …"."""
    lines = []
    worth_it = [turn for turn in said if turn.intent not in OF_WORDS_ALONE]
    for _, group in groupby(worth_it, key=lambda turn: turn.subject or f"turn {turn.number}"):
        lines.append(_line(list(group)))
    return lines


def _line(group: Sequence[Turn]) -> str:
    first, latest = group[0], group[-1]
    numbers = f"Turn {first.number}" if first is latest else f"Turns {first.number}-{latest.number}"
    about = f", {first.subject}" if first.subject else ""
    intents = ", ".join(dict.fromkeys(turn.intent for turn in group if turn.intent))
    kind = f" ({intents})" if intents else ""
    return f'{numbers}{about}{kind}: asked "{shortened(latest.question, 90)}"; told: {_told(latest)}'


def _told(turn: Turn) -> str:
    """The first sentence of the answer that is more than an opening; where there is none, the first fact."""
    lines = [line.strip().removeprefix("- ") for line in turn.words.splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        del lines[0]
    sentence = re.split(r"(?<=[.!?])\s+(?=[A-Z])", lines[0], maxsplit=1)[0] if lines else ""
    if not sentence and turn.facts:
        sentence = turn.facts[0].text
    return shortened(sentence, LONGEST_SENTENCE) or "nothing was found"


def shortened(text: str, longest: int) -> str:
    """On one line, cut at a word."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rsplit(" ", 1)[0] + "…"
