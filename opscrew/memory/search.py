"""Finds documents for a question, an alert's text or an alert's expression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from opscrew.memory.documents import Document, pieces
from opscrew.memory.promql import is_promql, weighted_metrics
from opscrew.memory.ranking import boost, fuse
from opscrew.memory.vectors import VectorKeeper
from opscrew.memory.word_index import WordIndex, weighted
from opscrew.memory.words import words

RELEVANT_COVERAGE = 0.4
"""From here on a hit answers the question by its words: much of what is rare in the question stands in it."""

RELEVANT_SIMILARITY = 0.45
"""From here on it does by its meaning. Unrelated texts of operations reach about 0.35 with this model."""

EXCERPT = 400
"""Characters of the excerpt."""


@dataclass(frozen=True)
class Hit:
    """``score`` only orders hits of one search. ``coverage`` (0 to 1) and ``similarity`` (cosine) can be compared
    between searches; ``similarity`` is None when vectors were not used."""

    document: Document
    score: float
    coverage: float
    similarity: float | None
    nearest_piece: str = ""
    worth: Mapping[str, float] = field(default_factory=dict, repr=False)
    """What each word of the question is worth in this library; the excerpt is chosen by it."""

    @property
    def excerpt(self) -> str:
        """The section with the rarest shared words; among equals the one nearest in meaning."""
        return _excerpt(self.document, self.worth, self.nearest_piece)

    @property
    def relevant(self) -> bool:
        """False when the best there is still has little to do with the question."""
        return self.coverage >= RELEVANT_COVERAGE or (self.similarity or 0) >= RELEVANT_SIMILARITY


class Search:
    """Over a fixed list of documents. ``vectors`` must already hold their pieces; None means words alone."""

    def __init__(self, documents: Sequence[Document], vectors: VectorKeeper | None = None) -> None:
        self.documents = list(documents)
        self.vectors = vectors
        self.index = WordIndex([(f"{document.title} {document.code}", document.text) for document in self.documents])

    def ranked(self, question: str, top: int = 10) -> list[str]:
        """Ids, best first, without filters or boosts: what the benchmark measures."""
        scores, _ = self._scores(question)
        order = sorted(range(len(scores)), key=lambda place: -scores[place])
        return [self.documents[place].id for place in order[:top]]

    def find(self, question: str, now: datetime, *, top: int = 10, system: str = "", kind: str = "") -> list[Hit]:
        """Best first; only documents of that system and kind where given, and none that shares nothing."""
        scores, nearness = self._scores(question)
        wanted = self._query(question)
        hits = [
            self._hit(place, scores[place] * boost(document, now), wanted, nearness)
            for place, document in enumerate(self.documents)
            if (not system or document.system == system) and (not kind or document.kind == kind)
        ]
        sharing = [hit for hit in hits if hit.coverage > 0 or hit.relevant]
        return sorted(sharing, key=lambda hit: (-hit.score, hit.document.id))[:top]

    def _scores(self, question: str) -> tuple[list[float], Mapping[str, tuple[float, str]]]:
        by_words = self.index.scores(self._query(question))
        if self.vectors is None or is_promql(question):
            return fuse(by_words, None), {}
        nearness = self.vectors.nearness(question)
        floor = min((value for value, _ in nearness.values()), default=0.0)
        near = [nearness.get(document.id, (floor, ""))[0] for document in self.documents]
        return fuse(by_words, near), nearness

    def _query(self, question: str) -> Mapping[str, float]:
        return weighted_metrics(question, self.index) if is_promql(question) else weighted(question)

    def _hit(
        self, place: int, score: float, query: Mapping[str, float], nearness: Mapping[str, tuple[float, str]]
    ) -> Hit:
        document = self.documents[place]
        worth = {word: weight * self.index.rarity(word) for word, weight in query.items()}
        total = sum(worth.values())
        shared = sum(value for word, value in worth.items() if self.index.has(place, word))
        near = nearness.get(document.id)
        return Hit(
            document=document,
            score=score,
            coverage=shared / total if total else 0.0,
            similarity=near[0] if near else None,
            nearest_piece=near[1] if near else "",
            worth=worth,
        )


def _excerpt(document: Document, worth: Mapping[str, float], nearest: str) -> str:
    found = pieces(document)

    def value(piece_text: str) -> float:
        return sum(worth.get(word, 0.0) for word in set(words(piece_text)))

    best = max(found, key=lambda piece: (value(piece.text), piece.id == nearest))
    body = best.text.removeprefix(document.title).strip()
    return body if len(body) <= EXCERPT else body[:EXCERPT].rsplit(" ", 1)[0] + " …"
