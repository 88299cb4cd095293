"""From a question to its answer: understand, gather, show facts, reason, check, remember.

Facts are gathered by code and shown at once, and the answer that code writes over them always stands. A model, where
there is one, may then add sentences to it, of which only those that pass the gate reach the person.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crews.ask.answer import Answer, Event, OnEvent, Usage
from crews.ask.gather.collector import Collector, Gathered, Request
from crews.ask.gather.registry import collectors_for
from crews.ask.gather.run import gather
from crews.ask.names import known_names
from crews.ask.requests.propose import fact_of, propose
from crews.runtime.context import CrewContext
from opscrew.answer.packet import Fact, number_facts
from opscrew.answer.understand.question import Asked, asks_the_same, understand
from opscrew.answer.write.templates import found_by_model, note_of_known, notes, write_answer
from opscrew.memory.conversations import Conversations
from opscrew.memory.turns import Conversation, ToldFact, already_told
from opscrew.model.citations import cited_in

if TYPE_CHECKING:
    from crews.ask.prose import Writer, Writing

SHORT_REPLIES = ("out_of_field", "help")
"""Answered by a sentence of ours: no evidence is needed, and a model would only digress."""


@dataclass(frozen=True)
class Question:
    """``facts_only`` never calls a model. ``deadline_seconds`` is wall time for everything."""

    text: str
    conversation: Conversation | None = None
    person: str = ""
    facts_only: bool = False
    deadline_seconds: float = 60.0


def answer_question(
    context: CrewContext,
    question: Question,
    *,
    on_event: OnEvent = lambda event: None,
    writer: Writer | None = None,
) -> Answer:
    """Never raises for what a system or a model does. ``writer`` is the model's side; None answers without it."""
    started = time.monotonic()
    book = Conversations(context.engine, context.clock)
    conversation = question.conversation or book.start(question.person)
    writing = writer.begin() if writer is not None and not question.facts_only else None
    request = _request(context, question, conversation, writing)
    on_event(Event("understood", request.understood.intent))
    if writing is not None and _is_for_prose(request):
        writing.prepare(request)
    gathered = Gathered() if request.understood.intent in SHORT_REPLIES else gather(request, _collectors(request))
    is_wish = request.understood.intent == "act" and not request.understood.is_unclear
    proposal = propose(request) if is_wish else None
    found = [fact_of(proposal, request)] if proposal else []
    if proposal and proposal.record:  # its target was found, whatever else a word of the wish resembles
        request = replace(request, understood=replace(request.understood, near=(), assumed=()))
    facts = number_facts([*found, *gathered.facts])
    told = _told_here(conversation, facts)
    to_facts = time.monotonic() - started
    on_event(Event("facts", facts=facts, told=told))
    answer = Answer(
        text=_plain(request, facts, gathered, told),
        facts=facts,
        conversation=conversation.id,
        intent=request.understood.intent,
        subject=request.understood.subject,
        actions=(proposal.record,) if proposal and proposal.record else (),
        unavailable=tuple(gathered.unavailable),
        not_measured=tuple(gathered.not_measured),
        seconds_to_facts=to_facts,
        usage=writing.usage if writing else Usage(),
    )
    on_event(Event("answer", answer.text))
    if writing is not None and _is_for_prose(request):
        left = question.deadline_seconds - (time.monotonic() - started)
        answer = writing.write(request, answer, left, on_event)
    beside = tuple(notes(request.understood, answer.unavailable, answer.not_measured))
    cited = [fact for fact in answer.facts if fact.id in cited_in("\n".join((answer.text, *answer.prose)))]
    heard = note_of_known(cited, _heard_elsewhere(book, question.person, cited) - told)
    beside = (*((heard,) if heard else ()), *beside)
    whole = [answer.text, found_by_model(answer.facts[len(facts) :]), " ".join(answer.prose), *beside]
    answer = replace(answer, text="\n".join(filter(None, whole)).strip(), notes=beside)
    _remember(book, conversation, question, answer)
    return replace(answer, seconds=time.monotonic() - started)


def _request(context: CrewContext, question: Question, conversation: Conversation, writing: Writing | None) -> Request:
    now = context.clock()
    before = [Asked(turn.question, turn.asked_at, turn.intent) for turn in conversation.turns]
    known = known_names(context)
    understood = understand(question.text, known, now, context.settings.zone, before)
    if not understood.sure and writing is not None:
        understood = writing.choose_intent(question.text, understood)
    return Request(context, question.text, understood, now, conversation, tuple(one.name for one in known))


def _collectors(request: Request) -> Sequence[Collector]:
    return collectors_for(request.intent.collectors)


def _is_for_prose(request: Request) -> bool:
    return request.understood.intent not in (*SHORT_REPLIES, "act")


def _plain(request: Request, facts: Sequence[Fact], gathered: Gathered, told: frozenset[str]) -> str:
    asked, before = request.understood, request.conversation.turns if request.conversation else ()
    is_same = any(
        (turn.intent, turn.subject) == (asked.intent, asked.subject) and asks_the_same(request.question, turn.question)
        for turn in before
    )
    missing = bool(gathered.unavailable or gathered.not_measured)
    return write_answer(asked, facts, gathered.looked_at, missing=missing, told=told, is_asked_again=is_same)


def _told_here(conversation: Conversation, facts: Sequence[Fact]) -> frozenset[str]:
    """Ids of the facts that an earlier turn told."""
    told = already_told(conversation, [fact.text for fact in facts])
    return frozenset(fact.id for fact in facts if fact.text in told)


def _heard_elsewhere(book: Conversations, person: str, facts: Sequence[Fact]) -> frozenset[str]:
    """Ids of the facts that this person was told lately in any conversation."""
    heard = book.told(person, [fact.text for fact in facts]) if person else {}
    return frozenset(fact.id for fact in facts if fact.text in heard)


def _remember(book: Conversations, conversation: Conversation, question: Question, answer: Answer) -> None:
    """What the answer's text cites was told; the rest of the evidence only lay beside it."""
    cited = set(cited_in(answer.text))
    told = [ToldFact(fact.id, fact.text) for fact in answer.facts if fact.id in cited]
    book.add(conversation, question.text, answer.text, intent=answer.intent, subject=answer.subject, facts=told)
