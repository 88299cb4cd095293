"""Brings word scores and vector nearness together, and prefers what is recent and has helped before.

Both are stretched to 0..1 over the candidates and added, words a little heavier. Rank fusion was tried first and is
worse on every set here: it throws away by how much the words agree, which is the strongest sign there is. An expression
is ranked by its words alone, because a sentence model has nothing to say about metric names.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from opscrew.memory.documents import Document

MEANING_SHARE = 0.4
"""Weight of the vectors. Between 0.35 and 0.45 no set of the benchmark changes by more than half a hundredth."""

PROVEN_BOOST = 0.05
"""For an account whose remedy worked. Small: it orders near equals and never lifts the wrong subject."""

RECENT_BOOST = 0.05
"""For an account of today, halved with every ``RECENT_HALF_LIFE_DAYS``."""

RECENT_HALF_LIFE_DAYS = 90.0


def fuse(by_words: Sequence[float], by_meaning: Sequence[float] | None) -> list[float]:
    """One score from 0 to 1 for each candidate."""
    words = stretched(by_words)
    if by_meaning is None:
        return words
    meaning = stretched(by_meaning)
    return [(1 - MEANING_SHARE) * a + MEANING_SHARE * b for a, b in zip(words, meaning, strict=True)]


def stretched(values: Sequence[float]) -> list[float]:
    """The lowest becomes 0, the highest 1; all equal become 0, since then they tell nothing."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(value - low) / (high - low) if high > low else 0.0 for value in values]


def boost(document: Document, now: datetime) -> float:
    """Factor from 1 to 1.1 for proven and recent accounts; runbooks and notes have none."""
    factor = 1.0
    if document.proven:
        factor += PROVEN_BOOST
    if document.happened_at is not None:
        days = max((now - document.happened_at).total_seconds() / 86_400, 0.0)
        factor += RECENT_BOOST * 0.5 ** (days / RECENT_HALF_LIFE_DAYS)
    return factor
