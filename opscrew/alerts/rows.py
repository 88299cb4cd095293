"""Turns alerts and groups into rows and back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Row, bindparam, insert, select, update

from opscrew.alerts.alert import AlertState
from opscrew.alerts.groups import Group
from opscrew.alerts.life import KnownAlert
from opscrew.model.finding import Severity
from opscrew.store.tables.alerts import alert_groups, alerts

AT_ONCE = 500
"""Values of one IN: databases bound their number."""


class Writing:
    """One writing transaction that begins with taking the area's lock."""

    def __init__(self, engine: Engine, lock: Callable[[Connection], None]) -> None:
        self._begun = engine.begin()
        self._lock = lock

    def __enter__(self) -> Connection:
        connection = self._begun.__enter__()
        self._lock(connection)
        return connection

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._begun.__exit__(kind, problem, trace)


def read_alerts(connection: Connection, wanted: ColumnElement[bool] | None, limit: int = 100_000) -> list[KnownAlert]:
    """The latest first."""
    query = select(alerts).order_by(alerts.c.last_seen.desc(), alerts.c.fingerprint).limit(limit)
    if wanted is not None:
        query = query.where(wanted)
    return [_alert(row) for row in connection.execute(query)]


def read_by_fingerprint(connection: Connection, fingerprints: Collection[str]) -> Iterable[KnownAlert]:
    """Any number of them."""
    names = sorted(fingerprints)
    for start in range(0, len(names), AT_ONCE):
        yield from read_alerts(connection, alerts.c.fingerprint.in_(names[start : start + AT_ONCE]))


def insert_alerts(connection: Connection, new: Sequence[KnownAlert]) -> None:
    if new:
        connection.execute(insert(alerts), [_values(one) for one in new])


def update_alerts(connection: Connection, changed: Sequence[KnownAlert]) -> None:
    if not changed:
        return
    statement = update(alerts).where(alerts.c.fingerprint == bindparam("which"))
    connection.execute(
        statement,
        [{"which" if key == "fingerprint" else key: value for key, value in _values(one).items()} for one in changed],
    )


def read_groups(connection: Connection, wanted: ColumnElement[bool]) -> list[Group]:
    """The oldest first."""
    query = select(alert_groups).where(wanted).order_by(alert_groups.c.opened_at, alert_groups.c.id)
    return [_group(row) for row in connection.execute(query)]


def read_open_groups(connection: Connection, keys: Collection[str]) -> Iterable[Group]:
    """Those with one of these keys."""
    names = sorted(keys)
    for start in range(0, len(names), AT_ONCE):
        some = alert_groups.c.key.in_(names[start : start + AT_ONCE])
        yield from read_groups(connection, (alert_groups.c.state == "open") & some)


def update_group(connection: Connection, group: Group) -> None:
    connection.execute(update(alert_groups).where(alert_groups.c.id == group.id).values(**group_values(group)))


def in_group(alert: KnownAlert, identity: str) -> KnownAlert:
    return replace(alert, group_id=identity)


def group_values(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "key": group.key,
        "title": group.title,
        "state": "open" if group.is_open else "closed",
        "opened_at": group.opened_at,
        "closed_at": group.closed_at,
        "quiet_since": group.quiet_since,
        "triage": dict(group.triage),
        "triaged_at": group.triaged_at,
    }


def _values(alert: KnownAlert) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "name": alert.name,
        "severity": alert.severity.value,
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "url": alert.url,
        "sources": dict(alert.sources),
        "state": alert.state.value,
        "silenced": alert.silenced,
        "starts_at": alert.starts_at,
        "first_seen": alert.first_seen,
        "last_seen": alert.last_seen,
        "resolved_at": alert.resolved_at,
        "changes": [at.isoformat() for at in alert.changes],
        "group_id": alert.group_id,
    }


def _alert(row: Row[Any]) -> KnownAlert:
    values = row._asdict()
    changes = tuple(datetime.fromisoformat(at) for at in values.pop("changes"))
    state, severity = AlertState(values.pop("state")), Severity(values.pop("severity"))
    return KnownAlert(**values, changes=changes, state=state, severity=severity)


def _group(row: Row[Any]) -> Group:
    values = row._asdict()
    del values["state"]
    return Group(**values)
