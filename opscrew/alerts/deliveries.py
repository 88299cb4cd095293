"""What each source has delivered by webhook: what was refused, and what never came although polling found it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding
from opscrew.model.subject import Subject
from opscrew.store.database import reading, serialize_writers
from opscrew.store.tables.alerts import alert_deliveries
from opscrew.store.text import storable

TOLD_FOR = timedelta(hours=1)
"""How long a refused or missed delivery stays a finding after the last one."""


@dataclass(frozen=True)
class Deliveries:
    """``missed`` counts alerts that polling found first."""

    source: str
    last_at: datetime | None = None
    accepted: int = 0
    refused: int = 0
    refused_at: datetime | None = None
    refused_why: str = ""
    missed: int = 0
    missed_at: datetime | None = None


def record_accepted(engine: Engine, source: str, now: datetime) -> None:
    """A webhook was taken."""
    with engine.begin() as connection:
        known = _locked(connection, source)
        _change(connection, source, last_at=now, accepted=known.accepted + 1)


def record_refused(engine: Engine, source: str, why: str, now: datetime) -> None:
    """A webhook with a good token and a bad body was refused."""
    with engine.begin() as connection:
        known = _locked(connection, source)
        _change(connection, source, refused=known.refused + 1, refused_at=now, refused_why=storable(why))


def record_missed(engine: Engine, source: str, count: int, now: datetime) -> None:
    """Polling found alerts that no webhook had told of in time."""
    with engine.begin() as connection:
        known = _locked(connection, source)
        _change(connection, source, missed=known.missed + count, missed_at=now)


def all_deliveries(engine: Engine) -> tuple[Deliveries, ...]:
    """By source."""
    with reading(engine).connect() as connection:
        query = select(alert_deliveries).order_by(alert_deliveries.c.source)
        return tuple(Deliveries(**row._asdict()) for row in connection.execute(query))


def delivery_findings(deliveries: tuple[Deliveries, ...], now: datetime) -> list[Finding]:
    """What is wrong with the way in which alerts reach us."""
    found = []
    for one in deliveries:
        subject = Subject(system=one.source, kind="webhook", name=one.source)
        if one.refused_at and now - one.refused_at < TOLD_FOR:
            seen = Evidence(source="crew webhooks", text=one.refused_why, observed_at=one.refused_at)
            cause = f"{one.source} sent a webhook that cannot be read: {one.refused_why}"
            found.append(finding("ALERT_WEBHOOK_MALFORMED", subject, cause, evidence=[seen]))
        if one.missed_at and now - one.missed_at < TOLD_FOR:
            cause = f"Alerts of {one.source} were found by asking; no webhook had told of them in time"
            seen = Evidence(source=f"{one.source} alerts", text=f"{one.missed} so far", observed_at=one.missed_at)
            found.append(finding("ALERT_WEBHOOK_MISSED", subject, cause, evidence=[seen]))
    return found


def _locked(connection: Connection, source: str) -> Deliveries:
    serialize_writers(connection, "alert_deliveries")
    row = connection.execute(select(alert_deliveries).where(alert_deliveries.c.source == source)).one_or_none()
    if row is not None:
        return Deliveries(**row._asdict())
    connection.execute(insert(alert_deliveries).values(source=source, accepted=0, refused=0, refused_why="", missed=0))
    return Deliveries(source)


def _change(connection: Connection, source: str, **values: Any) -> None:
    connection.execute(update(alert_deliveries).where(alert_deliveries.c.source == source).values(**values))
