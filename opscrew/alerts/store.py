"""Keeps alerts and their groups in the database. Judgement is in ``life.py`` and ``groups.py``; this only stores.

However many alerts come, no more than ``most_firing`` are kept at once; what is beyond that is counted and let go.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from opscrew.alerts import rows
from opscrew.alerts.alert import Alert, AlertState
from opscrew.alerts.groups import Group, group_key, new_group, quieted
from opscrew.alerts.kinds import AlertKind
from opscrew.alerts.life import KnownAlert, observe, without_source
from opscrew.alerts.rules import Rules, alert_rules
from opscrew.alerts.unknown import alert_subject
from opscrew.clock import Clock
from opscrew.errors import NotFoundError
from opscrew.model.coverage import Gap, is_hidden
from opscrew.store.database import reading, serialize_writers
from opscrew.store.prefixes import find_by_prefix
from opscrew.store.tables.alerts import alert_groups, alerts

LISTED_AT_ONCE = 10_000
UNGROUPED = (AlertKind.HEARTBEAT, AlertKind.UNTOLD)
"""Nothing is wrong while these fire."""


@dataclass(frozen=True)
class Taken:
    """What one delivery or poll changed. ``returned`` had been over; ``left_out`` were over the bound."""

    new: int = 0
    returned: int = 0
    resolved: int = 0
    left_out: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything began or ended."""
        return bool(self.new or self.returned or self.resolved)


class AlertStore:
    """Safe to use from several threads and processes: each call is one transaction."""

    def __init__(self, engine: Engine, clock: Clock, rules: Rules | None = None) -> None:
        self._engine, self._clock = engine, clock
        self.rules = rules or alert_rules()

    def take(self, told: Iterable[Alert], *, polled: bool = False) -> Taken:
        """Records notices in their order, and puts alerts that begin into groups."""
        with self._writing() as connection:
            return self._take(connection, list(told), polled=polled)

    def reconcile(self, source: str, present: Sequence[Alert], gaps: Collection[Gap] = ()) -> Taken:
        """Records all that ``source`` holds now. What it held before and no longer does is over, unless ``gaps`` hide
        it: the source then does not know."""
        now = self._clock()
        with self._writing() as connection:
            taken = self._take(connection, list(present), polled=True)
            held = {alert.fingerprint for alert in present}
            gone = [
                without_source(known, source, now, now)
                for known in rows.read_alerts(connection, alerts.c.state == AlertState.FIRING)
                if source in known.sources
                and known.fingerprint not in held
                and self._is_gone(known, now)
                and not self._is_unknown(known, source, gaps, now)
            ]
            rows.update_alerts(connection, gone)
        resolved = sum(1 for alert in gone if alert.state is AlertState.RESOLVED)
        return replace(taken, resolved=taken.resolved + resolved)

    def _is_gone(self, known: KnownAlert, now: datetime) -> bool:
        """Whether not being held ends it at once. A source that was restarted has its heartbeats again in a minute, and
        Grafana does not hold the tests that it sends."""
        patience = {
            AlertKind.HEARTBEAT: self.rules.heartbeat_grace_minutes,
            AlertKind.TEST: self.rules.test_minutes,
        }.get(known.kind, 0)
        return now - known.last_seen >= timedelta(minutes=patience)

    def _is_unknown(self, known: KnownAlert, source: str, gaps: Collection[Gap], now: datetime) -> bool:
        """What nobody knows anything of for very long is let go, like what nobody speaks of."""
        is_recent = now - known.last_seen < timedelta(minutes=self.rules.unheard_minutes)
        return is_recent and is_hidden(alert_subject(source, known.name), gaps)

    def let_go_unheard(self, polled: Collection[str]) -> int:
        """Ends alerts whose sources cannot be polled and have not spoken for very long, and tests soon."""
        now = self._clock()
        before = now - timedelta(minutes=self.rules.unheard_minutes)
        tested = now - timedelta(minutes=self.rules.test_minutes)
        with self._writing() as connection:
            over = []
            for known in rows.read_alerts(
                connection, (alerts.c.state == AlertState.FIRING) & (alerts.c.last_seen < max(before, tested))
            ):
                is_test = known.kind is AlertKind.TEST
                if not is_test and known.last_seen >= before:
                    continue
                for source in set(known.sources) - (set() if is_test else set(polled)):
                    known = without_source(known, source, now, now)
                over.append(known)
            rows.update_alerts(connection, over)
        return sum(1 for alert in over if alert.state is AlertState.RESOLVED)

    def settle(self) -> tuple[Group, ...]:
        """Closes groups that have been quiet long enough; returns them."""
        now = self._clock()
        # Looked at without holding up deliveries; only what changed is looked at once more while writing.
        with reading(self._engine).connect() as connection:
            changed = [group.id for group, after in self._after_quiet(connection, None, now) if group != after]
        if not changed:
            return ()
        with self._writing() as connection:
            settled = [after for _, after in self._after_quiet(connection, changed, now)]
            for after in settled:
                rows.update_group(connection, after)
        closed = [after for after in settled if not after.is_open]
        return tuple(closed)

    def store_triage(self, *groups: Group) -> None:
        """Keeps what triage found; nothing else about the groups is changed."""
        with self._writing() as connection:
            for group in groups:
                connection.execute(
                    update(alert_groups)
                    .where(alert_groups.c.id == group.id)
                    .values(triage=dict(group.triage), triaged_at=group.triaged_at)
                )

    def forget_old(self) -> int:
        """Deletes what ended long ago; returns how many alerts went."""
        before = self._clock() - timedelta(days=self.rules.keep_days)
        with self._writing() as connection:
            gone = connection.execute(
                delete(alerts).where(alerts.c.state == AlertState.RESOLVED, alerts.c.resolved_at < before)
            ).rowcount
            connection.execute(delete(alert_groups).where(alert_groups.c.closed_at < before))
            return gone

    def firing(self) -> tuple[KnownAlert, ...]:
        """Every alert that fires, the latest first."""
        return self.list((AlertState.FIRING,))

    def ended_heartbeats(self) -> tuple[KnownAlert, ...]:
        """Alerts that should always fire and do not."""
        # What has no group is a heartbeat, or a helper of Alertmanager's; of both there are few.
        wanted = (alerts.c.state == AlertState.RESOLVED) & (alerts.c.group_id == "")
        with reading(self._engine).connect() as connection:
            return tuple(one for one in rows.read_alerts(connection, wanted) if one.is_heartbeat)

    def list(self, states: Collection[AlertState] = (), limit: int = LISTED_AT_ONCE) -> tuple[KnownAlert, ...]:
        """Alerts in these states, or all; the latest first."""
        with reading(self._engine).connect() as connection:
            wanted = alerts.c.state.in_(list(states)) if states else None
            return tuple(rows.read_alerts(connection, wanted, limit))

    def get(self, prefix: str) -> KnownAlert:
        """The alert whose fingerprint starts with ``prefix``. ``CrewError`` when none or several do."""
        with reading(self._engine).connect() as connection:
            fingerprint = find_by_prefix(connection, alerts.c.fingerprint, prefix, noun="alert")
            return rows.read_alerts(connection, alerts.c.fingerprint == fingerprint)[0]

    def members(self, group_id: str) -> tuple[KnownAlert, ...]:
        """The alerts of one group."""
        with reading(self._engine).connect() as connection:
            return tuple(rows.read_alerts(connection, alerts.c.group_id == group_id))

    def groups(self) -> tuple[Group, ...]:
        """Open groups, the oldest first."""
        with reading(self._engine).connect() as connection:
            return tuple(rows.read_groups(connection, alert_groups.c.state == "open"))

    def groups_since(self, since: datetime) -> tuple[Group, ...]:
        """Groups that are open, or were closed after ``since``."""
        wanted = (alert_groups.c.state == "open") | (alert_groups.c.closed_at > since)
        with reading(self._engine).connect() as connection:
            return tuple(rows.read_groups(connection, wanted))

    def group(self, identity: str) -> Group:
        """One group, open or closed."""
        with reading(self._engine).connect() as connection:
            found = rows.read_groups(connection, alert_groups.c.id == identity)
        if not found:
            raise NotFoundError(f"there is no alert group {identity}", "`crew alerts list` shows them.")
        return found[0]

    def _take(self, connection: Connection, told: Sequence[Alert], *, polled: bool) -> Taken:
        now = self._clock()
        known = {one.fingerprint: one for one in rows.read_by_fingerprint(connection, {a.fingerprint for a in told})}
        before = dict(known)
        returned = 0
        room = self._room(connection)
        left_out = 0
        for alert in told:
            old = known.get(alert.fingerprint)
            after = observe(old, alert, now, polled=polled)
            if after is None:
                continue
            begins = after.state is AlertState.FIRING and (old is None or old.state is AlertState.RESOLVED)
            if begins and room <= 0:
                left_out += 1
                continue
            room -= begins
            returned += begins and old is not None
            known[alert.fingerprint] = after
        self._put_into_groups(connection, known, now)
        new = [one for fingerprint, one in known.items() if fingerprint not in before]
        changed = [one for fingerprint, one in known.items() if fingerprint in before and one != before[fingerprint]]
        rows.insert_alerts(connection, new)
        rows.update_alerts(connection, changed)
        resolved = sum(1 for one in changed if one.state is AlertState.RESOLVED)
        return Taken(len(new), returned, resolved, left_out)

    def _after_quiet(
        self, connection: Connection, only: Sequence[str] | None, now: datetime
    ) -> Iterable[tuple[Group, Group]]:
        """Each open group as it is and as it should be; ``only`` names some of them."""
        # One query for the alerts of all: in a storm there are thousands of groups.
        wanted = alerts.c.group_id.in_(select(alert_groups.c.id).where(alert_groups.c.state == "open"))
        members: dict[str, deque[KnownAlert]] = {}
        for alert in rows.read_alerts(connection, wanted):
            members.setdefault(alert.group_id, deque()).append(alert)
        for group in rows.read_groups(connection, alert_groups.c.state == "open"):
            if only is None or group.id in only:
                yield group, quieted(group, members.get(group.id, ()), now, self.rules)

    def _room(self, connection: Connection) -> int:
        count = select(func.count()).select_from(alerts).where(alerts.c.state == AlertState.FIRING)
        return self.rules.most_firing - int(connection.execute(count).scalar_one())

    def _put_into_groups(self, connection: Connection, known: dict[str, KnownAlert], now: datetime) -> None:
        """Alerts that begin join the open group of their key, or open one."""
        waiting = [
            one
            for one in known.values()
            if not one.group_id and one.state is AlertState.FIRING and one.kind not in UNGROUPED
        ]
        if not waiting:
            return
        keys = {group_key(alert, self.rules) for alert in waiting}
        groups = {group.key: group for group in rows.read_open_groups(connection, keys)}
        opened = []
        for alert in waiting:
            key = group_key(alert, self.rules)
            if key not in groups:
                groups[key] = new_group(alert, self.rules, now)
                opened.append(groups[key])
            known[alert.fingerprint] = rows.in_group(alert, groups[key].id)
        if opened:
            connection.execute(insert(alert_groups), [rows.group_values(group) for group in opened])

    def _writing(self) -> rows.Writing:
        return rows.Writing(self._engine, lambda connection: serialize_writers(connection, "alerts"))
