"""Runbooks, incidents, notes and past episodes that fit the question, by words and by meaning.

The question's meaning is worked out beside the search by words and waited for only shortly: loading the embedding model
can take longer than all other sources together. Where it comes too late, words decide, and the answer says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from crews.ask.gather.collector import Request
from crews.ask.gather.vectors import question_vectors, within
from opscrew.answer.packet import Fact
from opscrew.answer.understand import follow_ups
from opscrew.memory.documents import Piece
from opscrew.memory.library import Library
from opscrew.memory.search import Hit, Search
from opscrew.memory.words import listed

TOP = 4
LONGEST_EXCERPT = 330
ENOUGH, ENOUGH_COVERAGE = 5.0, 0.25
DECIDES: Mapping[str, tuple[str, ...]] = {"how_to": ("runbook", "note"), "history": ("incident", "episode")}
"""Intents that documents answer, with the kinds that do; for the others documents are background."""

VECTOR_SECONDS = 1.3
"""From the start of this collector. With it, facts stay below two seconds on two busy cores."""

LONGEST_WORDS = 1_200
"""Characters that are searched for: a pasted log has no more to say."""

LEANT_FACTS = 3


def collect(request: Request) -> Sequence[Fact]:
    """The best fitting pieces with their document's id; of the kinds first that the question asks for."""
    begun = time.monotonic()
    settings = request.context.settings
    vectors = question_vectors(settings.data_dir, settings.memory.embedding)
    words = searched_words(request)
    coming = vectors.begin(words) if vectors is not None and vectors.exists else None
    library = Library(request.context.engine, request.context.clock)
    search = Search(library.documents())
    near = within(coming, VECTOR_SECONDS - (time.monotonic() - begun)) if coming is not None else {}
    if near:
        search.vectors = _Known(near)
    wanted = DECIDES.get(request.understood.intent, ())
    base = 8.0 if wanted else 2.5
    facts = [
        _fact(hit, request, base - 0.3 * place)
        for place, hit in enumerate(_found(search, words, request, wanted))
        if hit.relevant or _will_do(hit, place, base)
    ]
    if near is None and wanted:
        facts.append(
            Fact("knowledge", "searched by words alone: the embedding model was not loaded in time", request.now)
        )
    return facts


def searched_words(request: Request) -> str:
    """The question without its frame ("have we seen … before"), its subject, and what the answer before told where
    the question points at it: "have we seen this before?" """
    asked = " ".join(word for word in request.question.split() if word.strip("?!.,").lower() not in listed("frame"))
    words = f"{asked} {request.understood.subject}"
    points_back = request.understood.is_follow_up or follow_ups.points_back(request.question)
    if points_back and request.conversation and request.conversation.turns:
        before = request.conversation.turns[-1]
        words = " ".join([words, before.question, *(fact.text for fact in before.facts[:LEANT_FACTS])])
    return words[:LONGEST_WORDS]


def _found(search: Search, words: str, request: Request, wanted: Sequence[str]) -> list[Hit]:
    """Those of the wanted kinds before all others."""
    preferred = [hit for kind in wanted for hit in search.find(words, request.now, top=TOP, kind=kind)]
    preferred = sorted(preferred, key=lambda hit: -hit.score)[: TOP - 1]
    known = {hit.document.id for hit in preferred}
    others = [hit for hit in search.find(words, request.now, top=TOP) if hit.document.id not in known]
    return [*preferred, *others][:TOP]


class _Known:
    """A keeper for one question whose nearness was worked out before."""

    def __init__(self, near: Mapping[str, tuple[float, str]]) -> None:
        self._near = near

    def update(self, wanted: Sequence[Piece]) -> int:
        del wanted
        return 0

    def nearness(self, question: str) -> Mapping[str, tuple[float, str]]:
        del question
        return self._near


def _will_do(hit: Hit, place: int, base: float) -> bool:
    """Where documents are the answer, the best of them is told although it fits but half."""
    return place == 0 and base > ENOUGH and hit.coverage > ENOUGH_COVERAGE


def _fact(hit: Hit, request: Request, weight: float) -> Fact:
    document = hit.document
    when = f" of {document.happened_at:%Y-%m-%d}" if document.happened_at else ""
    helped = {True: "; what was done helped", False: "; what was done did not help", None: ""}[document.proven]
    text = f"{document.kind} {document.title}{when}{helped}: {' '.join(hit.excerpt.split())[:LONGEST_EXCERPT]}"
    return Fact(f"knowledge {document.id}", text, document.happened_at or request.now, weight=weight)
