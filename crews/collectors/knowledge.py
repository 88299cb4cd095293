"""Runbooks, incidents, notes and past episodes that fit the question.

By words alone: loading the embedding model takes longer than all other sources together, and the index belongs to the
daemon. Runbooks of the codes at hand need no search at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from crews.collectors.collector import Request
from opscrew.answer.packet import Fact
from opscrew.memory.library import Library
from opscrew.memory.search import Hit, Search

TOP = 4
LONGEST_EXCERPT = 330
ENOUGH, ENOUGH_COVERAGE = 5.0, 0.25
DECIDES = ("how_to", "history")
"""Intents that documents answer; for the others they are background."""


def collect(request: Request) -> Sequence[Fact]:
    """The best fitting pieces with their document's id."""
    library = Library(request.context.engine, request.context.clock)
    words = f"{request.question} {request.understood.subject}"
    hits = Search(library.documents()).find(words, request.now, top=TOP)
    base = 8.0 if request.understood.intent in DECIDES else 2.5
    return [
        _fact(hit, request, base - 0.3 * place)
        for place, hit in enumerate(hits)
        if hit.relevant or _will_do(hit, place, base)
    ]


def _will_do(hit: Hit, place: int, base: float) -> bool:
    """Where documents are the answer, the best of them is told although it fits but half."""
    return place == 0 and base > ENOUGH and hit.coverage > ENOUGH_COVERAGE


def _fact(hit: Hit, request: Request, weight: float) -> Fact:
    document = hit.document
    when = f" of {document.happened_at:%Y-%m-%d}" if document.happened_at else ""
    helped = {True: "; what was done helped", False: "; what was done did not help", None: ""}[document.proven]
    text = f"{document.kind} {document.title}{when}{helped}: {' '.join(hit.excerpt.split())[:LONGEST_EXCERPT]}"
    return Fact(f"knowledge {document.id}", text, document.happened_at or request.now, weight=weight)
