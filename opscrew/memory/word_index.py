"""BM25 over titles and texts, in memory, rebuilt whenever a process starts: a thousand runbooks take about a second.

Written here, although bm25s is a good library, because an alert's query needs a weight for each of its words, and
two fields with one document frequency; bm25s has neither. It is forty lines of arithmetic without numpy, so a
command that only looks something up stays fast.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from opscrew.memory.words import words, words_and_joints

SATURATION = 1.6
"""BM25's k1: how much a tenth occurrence adds. Robertson's papers say 1.2 to 2; within that it matters little, and 1.6
finds a runbook by its own description a little better."""

LENGTH_PENALTY = 0.8
"""BM25's b: how much a long text must say more than a short one. From 0.9 on, post-mortems lose."""

TITLE_WEIGHT = 0.5
"""A title's score beside that of its text. It is short, so its words already count a lot each."""


JOINT_WEIGHT = 0.5
"""Of two neighbouring words of a query, joined, beside the words themselves. Prose joins much by chance."""


class WordIndex:
    """``texts`` are (title, text) pairs; scores come back in the same order."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        self.size = len(texts)
        self._gains: dict[str, dict[int, float]] = defaultdict(lambda: defaultdict(float))
        for column, weight in ((0, TITLE_WEIGHT), (1, 1.0)):
            counts = [Counter(words(pair[column])) for pair in texts]
            self._add_field(counts, weight)

    def _add_field(self, counts: list[Counter[str]], weight: float) -> None:
        lengths = [sum(count.values()) for count in counts]
        average = sum(lengths) / len(lengths) if any(lengths) else 1.0
        for place, count in enumerate(counts):
            discount = SATURATION * (1 - LENGTH_PENALTY + LENGTH_PENALTY * lengths[place] / average)
            for word, times in count.items():
                self._gains[word][place] += weight * times * (SATURATION + 1) / (times + discount)

    def __contains__(self, word: str) -> bool:
        return word in self._gains

    def has(self, place: int, word: str) -> bool:
        """Whether that document has the word in title or text."""
        return word in self._gains and place in self._gains[word]

    def documents_with(self, word: str) -> int:
        """How many documents have the word in title or text."""
        return len(self._gains[word]) if word in self._gains else 0

    def rarity(self, word: str) -> float:
        """BM25's inverse document frequency, never negative: a word that is everywhere counts nearly nothing."""
        having = self.documents_with(word)
        return math.log(1 + (self.size - having + 0.5) / (having + 0.5))

    def scores(self, query: Mapping[str, float]) -> list[float]:
        """One score for each document, from words with weights."""
        totals = [0.0] * self.size
        for word, weight in query.items():
            if word not in self._gains:
                continue
            worth = weight * self.rarity(word)
            for place, gain in self._gains[word].items():
                totals[place] += worth * gain
        return totals


def weighted(text: str) -> Mapping[str, float]:
    """A query in prose: each word as often as it is written."""
    query: dict[str, float] = defaultdict(float)
    for word, is_joint in words_and_joints(text):
        query[word] += JOINT_WEIGHT if is_joint else 1.0
    return dict(query)
