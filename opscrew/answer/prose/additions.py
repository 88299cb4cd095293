"""Whether a sentence of the model adds anything to an answer that code has written.

The answer quotes its best facts in full. A sentence is worth showing only if it speaks of the evidence that it cites
and says something of it that was not said yet: a word or a number, or how two facts belong together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from opscrew.answer.claims.words import stem
from opscrew.answer.packet import Fact
from opscrew.answer.prose.words import prose_words
from opscrew.model.citations import cited_in, without_citations

WORD = re.compile(r"[a-z]+|\d+(?:[.:]\d+)*")

BORNE_SHARE = 0.33
"""Of what a sentence says, so much must stand in the evidence that it cites. Less is about something else."""

LEAST_BORNE = 2
"""Words and numbers in common with it; one may be an accident."""


class Additions:
    """Of one answer. ``told`` is what code wrote; each sentence that is shown is told from then on."""

    def __init__(self, told: str) -> None:
        self._told = _content(told)
        self._joined: set[frozenset[str]] = set()

    def problem(self, sentence: str, cited: Sequence[Fact]) -> str:
        """Why the sentence is not worth showing; "" where it is."""
        if not cited:
            return "it cites no evidence"
        said = _content(without_citations(sentence))
        if not said:
            return "it says nothing of the evidence"
        evidence = set().union(*(_content(f"{fact.source} {fact.text}") for fact in cited))
        borne = said & evidence
        if len(borne) < min(LEAST_BORNE, len(said)) or len(borne) < BORNE_SHARE * len(said):
            return "it speaks of something else than the evidence it cites"
        if said - self._told or self._joins(sentence):
            return ""
        return "the answer says that already"

    def say(self, sentence: str) -> None:
        """It is shown now."""
        self._told |= _content(sentence)
        self._joined.add(frozenset(cited_in(sentence)))

    def _joins(self, sentence: str) -> bool:
        ids = frozenset(cited_in(sentence))
        return len(ids) > 1 and ids not in self._joined and bool(prose_words().joins.search(sentence))


def _content(text: str) -> set[str]:
    """Words by their stems, and numbers; without those that any text is made of."""
    empty = prose_words().empty_words
    found = (stem(word) if word.isalpha() else word for word in WORD.findall(text.lower()))
    return {word for word in found if word not in empty and (len(word) > 1 or word.isdigit())}
