"""The outbox: one row for each event and channel, and the steps that a row may take.

A row is recorded as about to be sent before anything goes out. Whoever is killed between sending and marking leaves it
so, and it is not sent again: it becomes ``uncertain``, which the channel's next message says. A message that is missing
is so told; one that comes twice would teach people to read past it.

    held     waits for the end of quiet hours or the digest      sent       the service took it
    pending  goes out with the next message                      uncertain  it may have arrived; not sent again
    sending  recorded as about to be sent                        failed     the service refuses this very message
    dropped  overtaken before it was told                        expired    nobody could be told for too long
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, delete, func, insert, select, update

from opscrew.clock import Clock
from opscrew.model.finding import Severity
from opscrew.notify.channels import health_of, mark_failed, mark_sent
from opscrew.notify.events import OPENING, Event, What
from opscrew.notify.rules import rules
from opscrew.notify.wording import SUMMARIES, Told
from opscrew.store.database import chunks, reading, serialize_writers
from opscrew.store.tables.notify import notify_outbox as table
from opscrew.store.text import LONGEST_SENTENCE, storable, storable_value

AREA = "notify"

ON_ITS_WAY = ("sending", "sent", "uncertain")


@dataclass(frozen=True)
class OutboxRow:
    """One row; ``changed_at`` is when it entered its state."""

    id: int
    channel: str
    event: str
    about: str
    what: What
    kind: str
    severity: Severity
    facts: Mapping[str, Any]
    state: str
    attempts: int
    message: str
    problem: str
    happened_at: datetime
    changed_at: datetime

    @property
    def told(self) -> Told:
        return Told(self.about, self.what, self.severity, self.facts)


class Outbox:
    """Safe to use from several processes: each step is one transaction, and one process at a time takes it."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def claim(self, channel: str, *, with_held: bool) -> tuple[OutboxRow, ...]:
        """What goes out now, recorded as about to be sent; empty where the channel has to wait or nothing does.

        A start or a digest goes alone with what was held back for it; ``with_held`` lets that go without one.
        """
        now = self._clock()
        with writing(self._engine) as connection:
            health = health_of(connection, channel)
            if health is None or (health.again_at is not None and health.again_at > now):
                return ()
            found = self._read(connection, (table.c.channel == channel) & table.c.state.in_(("pending", "held")))
            special = next((row for row in found if row.what in SUMMARIES), None)
            if special is not None:
                batch = found if special.what is What.DIGEST else [special]
            else:
                batch = [row for row in found if with_held or row.state == "pending"]
            if special is None and not self._may_speak(connection, channel, batch, now):
                return ()
            return self._begin(connection, batch, now)

    def sent(self, batch: Sequence[OutboxRow]) -> None:
        """The service took it."""
        now = self._clock()
        with writing(self._engine) as connection:
            self._move(connection, batch, "sent", now)
            mark_sent(connection, batch[0].channel, now)

    def uncertain(self, batch: Sequence[OutboxRow], problem: str, retry_after: float | None = None) -> None:
        """Nobody knows whether it arrived."""
        now = self._clock()
        with writing(self._engine) as connection:
            self._move(connection, batch, "uncertain", now, problem=problem)
            mark_failed(connection, batch[0].channel, problem, now, asked=retry_after)

    def put_back(
        self,
        batch: Sequence[OutboxRow],
        problem: str,
        *,
        retry_after: float | None = None,
        permanent: bool = False,
    ) -> None:
        """It certainly did not arrive; it goes with a later message."""
        now = self._clock()
        with writing(self._engine) as connection:
            self._move(connection, batch, "pending", now, problem=problem)
            mark_failed(connection, batch[0].channel, problem, now, asked=retry_after, permanent=permanent)

    def refused(self, batch: Sequence[OutboxRow], problem: str) -> None:
        """The service wants this message not even the second time; others may pass."""
        now = self._clock()
        once_more = [row for row in batch if row.attempts < 2]
        with writing(self._engine) as connection:
            self._move(connection, once_more, "pending", now, problem=problem)
            self._move(connection, [row for row in batch if row.attempts >= 2], "failed", now, problem=problem)
            mark_failed(connection, batch[0].channel, problem, now)

    def settle(self) -> None:
        """What lost its sender becomes uncertain, and what nobody could be told for too long expires."""
        now, limits = self._clock(), rules()
        lease = timedelta(seconds=limits.lease_seconds)
        # In both directions: a clock that was set back must not leave a row under way for ever.
        lost = (table.c.state == "sending") & ((table.c.changed_at < now - lease) | (table.c.changed_at > now + lease))
        late = (table.c.state == "pending") & (table.c.happened_at < now - timedelta(hours=limits.expires_hours))
        very_late = (table.c.state == "held") & (table.c.happened_at < now - timedelta(hours=limits.held_expires_hours))
        with writing(self._engine) as connection:
            self._set(connection, lost, "uncertain", now, "its sender was ended before it heard the answer")
            self._set(connection, late | very_late, "expired", now, None)
            kept_since = now - timedelta(days=limits.keep_days)
            connection.execute(delete(table).where(table.c.changed_at < kept_since))

    def hold_back(self, channel: str, held: Callable[[Severity], bool]) -> None:
        """What waits and has run into quiet hours waits on."""
        now = self._clock()
        with writing(self._engine) as connection:
            waiting = self._read(connection, (table.c.channel == channel) & (table.c.state == "pending"))
            late = [row for row in waiting if row.what not in SUMMARIES and held(row.severity)]
            self._move(connection, late, "held", now)

    def latest(self, channel: str = "", limit: int = 100) -> list[OutboxRow]:
        """The latest changed first; what has not gone out before what has."""
        wanted = table.c.channel == channel if channel else table.c.id > 0
        open_first = table.c.state.in_(("sent", "dropped"))
        query = select(table).where(wanted).order_by(open_first, table.c.changed_at.desc(), table.c.id.desc())
        with reading(self._engine).connect() as connection:
            return [row_from(row) for row in connection.execute(query.limit(limit))]

    def count(self, channel: str, states: Sequence[str], since: datetime | None = None) -> int:
        """Rows of a channel in these states, that entered them since a time."""
        wanted = (table.c.channel == channel) & table.c.state.in_(states)
        if since is not None:
            wanted &= table.c.changed_at > since
        with reading(self._engine).connect() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(wanted)).scalar_one())

    def doubtful(self, channel: str) -> list[OutboxRow]:
        """Rows of the latest message that may not have arrived and that no later message has spoken of."""
        with reading(self._engine).connect() as connection:
            health = health_of(connection, channel)
            wanted = (table.c.channel == channel) & (table.c.state == "uncertain")
            if health is not None and health.sent_at is not None:
                wanted &= table.c.changed_at > health.sent_at
            found = self._read(connection, wanted)
        latest = max(found, key=lambda row: (row.changed_at, row.id), default=None)
        return [row for row in found if latest is not None and row.message == latest.message]

    def _may_speak(self, connection: Connection, channel: str, batch: Sequence[OutboxRow], now: datetime) -> bool:
        """Whether the channel was told little enough lately."""
        pace = rules().pace
        lately = (table.c.channel == channel) & table.c.state.in_(ON_ITS_WAY)
        lately &= table.c.changed_at > now - timedelta(minutes=pace.minutes)
        count = connection.execute(select(func.count(table.c.message.distinct())).where(lately)).scalar_one()
        critical = any(row.severity is Severity.CRITICAL and row.what is not What.FIXED for row in batch)
        return bool(count < (pace.critical_messages if critical else pace.messages))

    def _begin(self, connection: Connection, batch: Sequence[OutboxRow], now: datetime) -> tuple[OutboxRow, ...]:
        if not batch:
            return ()
        message = uuid.uuid4().hex[:16]
        for chunk in chunks([row.id for row in batch]):
            values = {"state": "sending", "message": message, "changed_at": now, "attempts": table.c.attempts + 1}
            connection.execute(update(table).where(table.c.id.in_(chunk)).values(values))
        return tuple(self._read(connection, table.c.message == message))

    def _move(
        self, connection: Connection, batch: Sequence[OutboxRow], state: str, now: datetime, problem: str = ""
    ) -> None:
        # Only from where it was: a row whose sender was given up meanwhile stays uncertain.
        for chunk in chunks([row.id for row in batch]):
            ours = table.c.id.in_(chunk) & (table.c.state == batch[0].state)
            self._set(connection, ours, state, now, problem)

    def _set(
        self, connection: Connection, wanted: ColumnElement[bool], state: str, now: datetime, problem: str | None
    ) -> None:
        values: dict[str, Any] = {"state": state, "changed_at": now}
        if problem is not None:
            values["problem"] = storable(problem)
        connection.execute(update(table).where(wanted).values(values))

    def _read(self, connection: Connection, wanted: ColumnElement[bool]) -> list[OutboxRow]:
        return [row_from(row) for row in connection.execute(select(table).where(wanted).order_by(table.c.id))]


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction; nobody else writes to the outbox during it."""
    with engine.begin() as connection:
        serialize_writers(connection, AREA)
        yield connection


def add(connection: Connection, channel: str, new: Iterable[tuple[Event, str]], now: datetime) -> None:
    """Adds events with their first state; those that the channel has already are passed over."""
    wanted = {event.key: (event, state) for event, state in new}
    for chunk in chunks(list(wanted)):
        known = select(table.c.event).where(table.c.channel == channel, table.c.event.in_(chunk))
        for key in connection.execute(known).scalars():
            del wanted[key]
    if wanted:
        connection.execute(insert(table), [_values(channel, event, state, now) for event, state in wanted.values()])


def is_known(connection: Connection, channel: str, event: str) -> bool:
    """Whether the channel has a row for it."""
    query = select(table.c.id).where(table.c.channel == channel, table.c.event == event)
    return connection.execute(query).first() is not None


def told_about(connection: Connection, channel: str, about: Sequence[str]) -> dict[str, set[str]]:
    """By what it is about, the states of those rows that say that something is wrong."""
    found: dict[str, set[str]] = {}
    for chunk in chunks(about):
        query = select(table.c.about, table.c.state).where(
            table.c.channel == channel, table.c.about.in_(chunk), table.c.what.in_([*OPENING, What.FAILED])
        )
        for name, state in connection.execute(query):
            found.setdefault(name, set()).add(state)
    return found


def drop_waiting(connection: Connection, channel: str, about: Sequence[str], now: datetime) -> None:
    """What was not told yet is overtaken."""
    for chunk in chunks(about):
        waiting = (table.c.channel == channel) & table.c.about.in_(chunk) & (table.c.state == "pending")
        connection.execute(
            update(table).where(waiting).values(state="dropped", changed_at=now, problem="over before it was told")
        )


def row_from(row: Row[Any]) -> OutboxRow:
    values = row._asdict()
    return OutboxRow(**{**values, "what": What(row.what), "severity": Severity(row.severity)})


def _values(channel: str, event: Event, state: str, now: datetime) -> dict[str, Any]:
    facts = {name: storable_value(value) for name, value in event.facts.items()}
    if "cause" in facts:
        facts["cause"] = storable(str(event.facts["cause"]), LONGEST_SENTENCE)
    return {
        "channel": channel,
        "event": event.key,
        "about": event.about,
        "what": event.what.value,
        "kind": event.kind,
        "severity": event.severity.value,
        "facts": facts,
        "state": state,
        "attempts": 0,
        "message": "",
        "problem": "",
        "happened_at": event.happened_at,
        "changed_at": now,
    }
