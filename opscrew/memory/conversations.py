"""Keeps conversations whole in the database, and knows what each person was told in any of them."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update

from opscrew.clock import Clock
from opscrew.errors import CrewError
from opscrew.memory.turns import Conversation, ToldFact, Turn, fact_digest
from opscrew.store.database import forget_traces, reading
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.conversations import conversations, told_facts, turns
from opscrew.store.text import storable

LONGEST_QUESTION = 8_000
LONGEST_ANSWER = 40_000
LONGEST_FACT = 500
MOST_FACTS = 100
TITLE = 80
"""Characters of the title, which is the first question."""

REMEMBERED_DAYS = 30
"""How long a fact counts as known to a person. After a month a reminder is no repetition."""


class Conversations:
    """Safe to use from several processes: each turn is one transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def start(self, person: str = "") -> Conversation:
        """A new, empty one. It is stored with its first turn, so that an abandoned start leaves nothing."""
        now = self._clock()
        return Conversation(secrets.token_hex(6), storable(person, 128), "", now, now)

    def get(self, prefix: str, person: str | None = None) -> Conversation:
        """The whole conversation whose id starts with ``prefix``; only one of ``person`` where that is given.
        ``CrewError`` when none or several do."""
        with reading(self._engine).connect() as connection:
            identity = _find(connection, prefix, person)
            row = connection.execute(select(conversations).where(conversations.c.id == identity)).one()
            said = connection.execute(select(turns).where(turns.c.conversation == identity).order_by(turns.c.number))
            return _conversation(row, tuple(_turn(one) for one in said))

    def list(self, person: str = "", limit: int = 50) -> Sequence[tuple[Conversation, int]]:
        """The latest first, without their turns, each with the number of turns."""
        query = select(conversations).order_by(conversations.c.last_at.desc(), conversations.c.id).limit(limit)
        if person:
            query = query.where(conversations.c.person == person)
        with reading(self._engine).connect() as connection:
            return [(_conversation(row, ()), row.turns) for row in connection.execute(query)]

    def add(
        self,
        conversation: Conversation,
        question: str,
        answer: str,
        *,
        intent: str = "",
        subject: str = "",
        facts: Sequence[ToldFact] = (),
    ) -> Conversation:
        """Appends a turn and returns the conversation with it. Text is redacted and capped here.

        Two processes may add to one conversation: the number is taken inside the transaction.
        """
        now = self._clock()
        kept = tuple(ToldFact(fact.id, storable(fact.text, LONGEST_FACT)) for fact in facts[:MOST_FACTS])
        asked = storable(question, LONGEST_QUESTION)
        with self._engine.begin() as connection:
            row = connection.execute(
                select(conversations).where(conversations.c.id == conversation.id).with_for_update()
            ).one_or_none()
            turn = Turn(
                number=row.turns + 1 if row else 1,
                asked_at=now,
                question=asked,
                answer=storable(answer, LONGEST_ANSWER),
                intent=storable(intent, 64),
                subject=storable(subject),
                facts=kept,
            )
            if row is None:
                if conversation.turns:
                    raise CrewError(f"the conversation {conversation.id} was deleted", "Start a new one with `/new`.")
                started = {"id": conversation.id, "person": conversation.person, "started_at": conversation.started_at}
                title = " ".join(asked.split())[:TITLE]
                connection.execute(insert(conversations).values(**started, title=title, last_at=now, turns=1))
            else:
                connection.execute(
                    update(conversations)
                    .where(conversations.c.id == conversation.id)
                    .values(last_at=now, turns=turn.number)
                )
            connection.execute(insert(turns).values(conversation=conversation.id, **_values(turn)))
            if kept:
                shared = {"conversation": conversation.id, "turn": turn.number, "person": conversation.person}
                told = [{**shared, "digest": fact.digest, "told_at": now} for fact in kept]
                connection.execute(insert(told_facts), told)
        return self.get(conversation.id)

    def told(self, person: str, facts: Sequence[str]) -> dict[str, datetime]:
        """Which of these texts this person was told lately, in any conversation: text to when, the latest time."""
        by_digest = {fact_digest(storable(text, LONGEST_FACT)): text for text in facts}
        query = (
            select(told_facts.c.digest, func.max(told_facts.c.told_at).label("told_at"))
            .where(
                told_facts.c.person == person,
                told_facts.c.digest.in_(list(by_digest)),
                told_facts.c.told_at >= self._clock() - timedelta(days=REMEMBERED_DAYS),
            )
            .group_by(told_facts.c.digest)
        )
        with reading(self._engine).connect() as connection:
            return {by_digest[row.digest]: row.told_at for row in connection.execute(query)}

    def delete(self, prefix: str, person: str | None = None) -> str:
        """Deletes one for good, with everything that was remembered from it; returns its id."""
        with self._engine.begin() as connection:
            identity = _find(connection, prefix, person)
            connection.execute(delete(conversations).where(conversations.c.id == identity))
        forget_traces(self._engine)
        return identity

    def forget_old(self, keep_days: int) -> int:
        """Deletes those whose last turn is older; returns how many went. The daemon calls it once a day."""
        before = self._clock() - timedelta(days=keep_days)
        with self._engine.begin() as connection:
            gone = int(connection.execute(delete(conversations).where(conversations.c.last_at < before)).rowcount)
        if gone:
            forget_traces(self._engine)
        return gone

    def questions(self, person: str, limit: int) -> Sequence[str]:
        """What ``person`` asked last in any conversation, oldest first."""
        query = (
            select(turns.c.question)
            .join(conversations, conversations.c.id == turns.c.conversation)
            .where(conversations.c.person == person)
            .order_by(turns.c.asked_at.desc(), turns.c.number.desc())
            .limit(limit)
        )
        with reading(self._engine).connect() as connection:
            return [str(row.question) for row in connection.execute(query)][::-1]


def _find(connection: Connection, prefix: str, person: str | None) -> str:
    among = None if person is None else conversations.c.person == person
    return find_by_prefix(connection, conversations.c.id, prefix, noun="conversation", among=among)


def _values(turn: Turn) -> dict[str, object]:
    return {
        "number": turn.number,
        "asked_at": turn.asked_at,
        "question": turn.question,
        "answer": turn.answer,
        "intent": turn.intent,
        "subject": turn.subject,
        "facts": [{"id": fact.id, "text": fact.text} for fact in turn.facts],
    }


def _turn(row: Row[tuple[object, ...]]) -> Turn:
    facts = tuple(ToldFact(fact["id"], fact["text"]) for fact in row.facts)
    return Turn(row.number, row.asked_at, row.question, row.answer, row.intent, row.subject, facts)


def _conversation(row: Row[tuple[object, ...]], said: tuple[Turn, ...]) -> Conversation:
    return Conversation(row.id, row.person, row.title, row.started_at, row.last_at, said)
