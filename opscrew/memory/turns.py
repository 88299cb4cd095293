"""The nouns of a conversation: a turn, the facts it told, and the conversation that holds them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.model.citations import without_citations

OF_WORDS_ALONE = ("help", "out_of_field", "recall")
"""Intents of turns that quote others, or say nothing about any system: not worth telling again."""


@dataclass(frozen=True)
class ToldFact:
    """One item of evidence as it was shown: ``id`` is its mark in that answer (E1), valid inside one turn only."""

    id: str
    text: str

    @property
    def digest(self) -> str:
        return fact_digest(self.text)


@dataclass(frozen=True)
class Turn:
    """``number`` counts from 1. ``intent`` and ``subject`` are what the question was understood to mean."""

    number: int
    asked_at: datetime
    question: str
    answer: str
    intent: str = ""
    subject: str = ""
    facts: tuple[ToldFact, ...] = ()

    @property
    def words(self) -> str:
        """The answer without its marks, which would point at the evidence of whatever turn quotes it."""
        return re.sub(r"[ \t]+([.,;:!?])", r"\1", without_citations(self.answer)).strip()


@dataclass(frozen=True)
class Conversation:
    """``turns`` is whole, oldest first."""

    id: str
    person: str
    title: str
    started_at: datetime
    last_at: datetime
    turns: tuple[Turn, ...] = ()


def fact_digest(text: str) -> str:
    """The same for the same statement in other spacing or case; another number makes another fact."""
    return hashlib.sha256(re.sub(r"\s+", " ", text).strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def already_told(conversation: Conversation, facts: Sequence[str]) -> dict[str, int]:
    """Which of these texts the conversation has told before: text to the number of the latest turn that did."""
    told = {fact.digest: turn.number for turn in conversation.turns for fact in turn.facts}
    return {text: told[digest] for text in facts if (digest := fact_digest(text)) in told}
