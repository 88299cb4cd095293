"""The evidence of one answer: ranked, numbered E1, E2, …, and cut to the model's token budget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from opscrew.answer.tokens import CountTokens
from opscrew.memory.turns import fact_digest
from opscrew.model.coverage import Gap
from opscrew.store.text import storable

MOST_FACTS = 40
"""That a person is shown. More is a list, which its own command prints better."""

LEAST_FACT = 3
"""Letters and digits: less is the frame that some tools draw around an error."""

LONGEST_LINK = 4_000
LONGEST_FACT = 420
"""Characters: one sentence with its numbers, or one long line of a log."""


@dataclass(frozen=True)
class Fact:
    """One thing that was seen. ``weight`` orders: about 10 answers the question itself, 5 explains, 1 is background.
    ``id`` is set when it enters a packet. ``is_gap`` marks what is no evidence but a lack of it: what was asked for and
    not measured, which stands beside the answer."""

    source: str
    text: str
    time: datetime
    link: str = ""
    weight: float = 1.0
    id: str = ""
    is_gap: bool = False


@dataclass(frozen=True)
class Packet:
    """``facts`` are all, numbered, best first; ``text`` holds as many of them as fit the budget."""

    facts: tuple[Fact, ...]
    text: str
    tokens: int
    left_out: int


def gap_fact(source: str, gap: Gap, at: datetime) -> Fact:
    """A gap as collectors hand it over."""
    return Fact(source, str(gap), at, weight=0, is_gap=True)


def number_facts(found: Iterable[Fact]) -> tuple[Fact, ...]:
    """Best first, each statement once, with ids; texts, sources and links redacted, cleaned and capped."""
    best: dict[str, Fact] = {}
    for fact in sorted(found, key=lambda one: -one.weight):
        text = shortened(fact.text)
        if sum(character.isalnum() for character in text) >= LEAST_FACT:
            source, link = shortened(fact.source), storable(fact.link, LONGEST_LINK)
            best.setdefault(fact_digest(text), replace(fact, text=text, source=source, link=link))
    return tuple(replace(fact, id=f"E{number}") for number, fact in enumerate(list(best.values())[:MOST_FACTS], 1))


def pack(facts: Sequence[Fact], budget: int, count: CountTokens, zone: tzinfo) -> Packet:
    """Lines in order of rank until the budget is spent; a long one may be skipped for a shorter one behind it."""
    lines: list[str] = []
    used = 0
    for fact in facts:
        line = packet_line(fact, zone)
        cost = count(line + "\n")
        if used + cost <= budget:
            lines.append(line)
            used += cost
    left_out = len(facts) - len(lines)
    if left_out:
        lines.append(f"({left_out} more facts were left out)")
    text = "\n".join(lines)
    return Packet(tuple(facts), text, count(text), left_out)


def packet_line(fact: Fact, zone: tzinfo) -> str:
    return f"{fact.id}: {fact.time.astimezone(zone):%Y-%m-%d %H:%M} {fact.source}: {fact.text}"


def shortened(text: str) -> str:
    """One line of at most ``LONGEST_FACT`` characters, without secrets and what a terminal would obey."""
    line = " ".join(storable(text[: LONGEST_FACT * 4], LONGEST_FACT * 4).split())
    return line if len(line) <= LONGEST_FACT else line[: LONGEST_FACT - 1] + "…"
