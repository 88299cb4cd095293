"""Keeps incident drafts, and puts them into knowledge when a person says so."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, Row, delete, insert, select, update

from opscrew.alerts.incidents import Incident, as_document
from opscrew.clock import Clock
from opscrew.memory.library import Library
from opscrew.store.database import reading, serialize_writers
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.incidents import incidents
from opscrew.store.text import storable


class IncidentStore:
    """Each call is one transaction."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def put(self, incident: Incident) -> bool:
        """Keeps a new draft; False when this incident is known, which a person may have edited or written."""
        with self._engine.begin() as connection:
            serialize_writers(connection, "incidents")
            if connection.execute(select(incidents.c.id).where(incidents.c.id == incident.id)).first():
                return False
            connection.execute(insert(incidents).values(**asdict(incident)))
        return True

    def has(self, identity: str) -> bool:
        """Whether there is a draft or a report of this group already."""
        with reading(self._engine).connect() as connection:
            return connection.execute(select(incidents.c.id).where(incidents.c.id == identity)).first() is not None

    def list(self, limit: int = 100) -> tuple[Incident, ...]:
        """The latest first."""
        query = select(incidents).order_by(incidents.c.started_at.desc(), incidents.c.id).limit(limit)
        with reading(self._engine).connect() as connection:
            return tuple(_incident(row) for row in connection.execute(query))

    def forget_drafts(self, keep_days: int) -> int:
        """Deletes drafts of what ended longer ago; returns how many. Those that a person wrote stay."""
        before = self._clock() - timedelta(days=keep_days)
        with self._engine.begin() as connection:
            old = (incidents.c.state == "draft", incidents.c.ended_at < before)
            return int(connection.execute(delete(incidents).where(*old)).rowcount)

    def get(self, prefix: str) -> Incident:
        """``CrewError`` when none or several ids start with ``prefix``."""
        with reading(self._engine).connect() as connection:
            identity = find_by_prefix(connection, incidents.c.id, prefix, noun="incident")
            return _incident(connection.execute(select(incidents).where(incidents.c.id == identity)).one())

    def write(self, prefix: str, who: str, text: str = "") -> str:
        """Puts a draft into knowledge, with a text that a person edited where given. Returns the document's id."""
        incident = self.get(prefix)
        if text:
            incident = Incident(**{**asdict(incident), "text": text})
        document = Library(self._engine, self._clock).put(as_document(incident))
        with self._engine.begin() as connection:
            connection.execute(
                update(incidents)
                .where(incidents.c.id == incident.id)
                .values(state="written", written_by=storable(who, 128), text=document.text)
            )
        return document.id


def _incident(row: Row[Any]) -> Incident:
    return Incident(**row._asdict())
