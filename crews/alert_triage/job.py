"""Every minute and on each webhook: take in what fires, look into what is new, follow repairs, write up what is over.

Alerts are told by group, and a storm of them as one. What is silenced or expected by maintenance is kept and not told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crews.alert_triage.group import calmed, triaged
from crews.alert_triage.polling import poll
from crews.runtime.context import CrewContext
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.alerts.alert import AlertState
from opscrew.alerts.causes import Ownership, cause_rules, ownership_of
from opscrew.alerts.deliveries import all_deliveries, delivery_findings
from opscrew.alerts.groups import Group, Storm, came_in_storms, is_due, storm_of, worst
from opscrew.alerts.heartbeats import heartbeat_findings
from opscrew.alerts.incident_store import IncidentStore
from opscrew.alerts.incidents import draft
from opscrew.alerts.kinds import AlertKind
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.maintenance import maintenance_of
from opscrew.alerts.objects import own_labels_of
from opscrew.alerts.store import UNGROUPED, AlertStore
from opscrew.alerts.telling import group_finding, repair_failed_finding, storm_finding
from opscrew.errors import CrewError
from opscrew.findings.ledger import Ledger
from opscrew.model.action import ActionState
from opscrew.model.coverage import in_words
from opscrew.model.finding import Finding, Severity
from opscrew.model.run import Run, RunOutcome

NAME = "alert_triage"
MOST_TRIAGED = 3
"""Groups looked into in one run; each may take as long as its slowest look. The rest waits a minute."""
WRITTEN_WITHIN = timedelta(days=1)
"""How long after its end a group is still written up, for a crew that was stopped meanwhile."""


@dataclass
class _Tally:
    """What the run's summary counts."""

    told: list[Finding] = field(default_factory=list)
    triaged: int = 0
    written: int = 0
    quiet: int = 0


def run(context: CrewContext) -> Run:
    """One round. Says in the run which systems did not answer."""
    started = context.clock()
    store = AlertStore(context.engine, context.clock)
    execution = Execution(context.engine, context.settings, context.clock, context.uptime)
    answered, silent, unknown = poll(context, store)
    store.let_go_unheard(answered | set(silent))
    tally = _Tally()
    store.settle()
    tally.written = _write_up(context, store, execution)
    known = store.firing()
    firing = [alert for alert in known if alert.kind not in UNGROUPED]
    storm = _storm(context, store, firing)
    _look_into(context, store, execution, storm, tally)
    heartbeats = [*known, *store.ended_heartbeats()]
    tally.told += heartbeat_findings(heartbeats, answered, context.clock(), store.rules)
    tally.told += _repairs_that_failed(context, store, execution)
    tally.told += delivery_findings(all_deliveries(context.engine), context.clock())
    Ledger(context.engine, context.clock).observe(NAME, tally.told, complete=True)
    store.forget_old()
    words = f"{len(firing)} alerts firing, {tally.triaged} groups looked into, {tally.written} incidents written up"
    words += f"; a storm of {storm.alerts} alerts told as one" if storm else ""
    words += f"; {tally.quiet} groups silenced or in maintenance" if tally.quiet else ""
    gaps = in_words(unknown)
    words += f"; {gaps}" if gaps else ""
    return Run(
        crew=NAME,
        started_at=started,
        ended_at=max(started, context.clock()),
        outcome=RunOutcome.PARTIAL if silent else RunOutcome.OK,
        summary=words,
        unavailable=tuple(silent),
        read_nothing=bool(silent) and not answered and not firing,
    )


def _storm(context: CrewContext, store: AlertStore, firing: Sequence[KnownAlert]) -> Storm | None:
    """What is told as one, remembered by its groups: until it ends, also over a restart. What is left of one that is
    over is told by itself. What is silenced or expected makes no storm."""
    now = context.clock()
    groups = store.groups()
    storm = storm_of(groups, [one for one in firing if not _is_quiet(context, one, now)], now, store.rules)
    if storm is None:
        store.store_triage(*(group.with_storm(None) for group in groups if group.in_storm))
        return None
    store.store_triage(*storm.fresh)
    return storm


def _look_into(
    context: CrewContext, store: AlertStore, execution: Execution, storm: Storm | None, tally: _Tally
) -> None:
    """Triage and findings of groups that are due. Of a storm the gravest are looked into, and all are told as one."""
    now = context.clock()
    due: list[tuple[Group, Sequence[KnownAlert]]] = []
    members_of: dict[str, Sequence[KnownAlert]] = dict(_by_group(store.firing()))
    of_storm = {group.id for group, _ in storm.groups} if storm is not None else set()
    gravest = storm.groups[: store.rules.storm_named] if storm is not None else ()
    for group in store.groups():
        members = members_of.get(group.id, ())
        if not members or not is_due(group, now, store.rules):
            continue
        if all(_is_quiet(context, alert, now) for alert in members):
            tally.quiet += 1
        elif group.id not in of_storm:
            due.append((group, members))
    waiting = sorted([*due, *gravest], key=lambda one: (-worst(one[1]).rank, one[0].opened_at))
    seen: dict[str, Group] = {}
    for group, members in waiting:
        is_told_alone = group.id not in of_storm
        is_test = all(alert.kind is AlertKind.TEST for alert in members)
        if group.triaged_at is None and not is_test and tally.triaged < MOST_TRIAGED:
            group = triaged(context, execution, group, members)
            store.store_triage(group)
            tally.triaged += 1
        elif is_told_alone and (after := calmed(context, execution, group, members)) is not group:
            group = after
            store.store_triage(group)
        seen[group.id] = group
        if is_told_alone:
            tally.told.append(group_finding(group, members, now, store.rules))
    if storm is not None:
        looked = tuple((seen.get(group.id, group), members) for group, members in storm.groups)
        tally.told.append(storm_finding(replace(storm, groups=looked), now))


def _is_quiet(context: CrewContext, alert: KnownAlert, at: datetime) -> bool:
    windows = context.settings.alerts.maintenance
    if alert.silenced or not windows:
        return alert.silenced
    return bool(maintenance_of(own_labels_of(alert), at, windows, context.settings.zone))


def _by_group(alerts: Sequence[KnownAlert]) -> dict[str, list[KnownAlert]]:
    found: dict[str, list[KnownAlert]] = {}
    for alert in alerts:
        found.setdefault(alert.group_id, []).append(alert)
    return found


def _repairs_that_failed(context: CrewContext, store: AlertStore, execution: Execution) -> list[Finding]:
    """Repairs after which the alert goes on, or its object is still not well."""
    patience = timedelta(minutes=cause_rules().repair_minutes)
    found = []
    for group in store.groups_since(context.clock() - 2 * patience):
        for record in _actions_of(group, execution):
            why = _why_not_well(context, store, group, record, patience)
            if why:
                found.append(repair_failed_finding(group, store.members(group.id), record.id, why))
    return found


def _why_not_well(
    context: CrewContext, store: AlertStore, group: Group, record: ActionRecord, patience: timedelta
) -> str:
    """Empty while it is too early to tell, and when all is well."""
    fires = any(alert.state is AlertState.FIRING for alert in store.members(group.id))
    if record.state is ActionState.FAILED:
        return f"it failed: {record.note}" if fires else ""
    if record.state is not ActionState.SUCCEEDED or record.finished_at is None:
        return ""
    if context.clock() < record.finished_at + patience or record.action.kind == "silence_alert":
        return ""
    if fires:
        return "the alert still fires"
    target = record.action.target
    for entry in Ledger(context.engine, context.clock).open():
        near = ownership_of(entry.finding.subject, [target])
        if near is Ownership.SAME and entry.finding.severity is not Severity.INFO and target.system == "kubernetes":
            return f"the alert ended, but {entry.finding.subject} is not well: {entry.finding.cause}"
    return ""


def _write_up(context: CrewContext, store: AlertStore, execution: Execution) -> int:
    """One draft for each group that is over. A run that was killed before is made up for.

    What began and ended between two runs is looked into now, for what can still be seen of it; not what came in a
    storm, which was told as one, and not what was silenced or expected.
    """
    incidents = IncidentStore(context.engine, context.clock)
    groups = store.groups_since(context.clock() - WRITTEN_WITHIN)
    in_storms = came_in_storms(groups, store.rules)
    written = looked = 0
    for group in groups:
        unseen = group.triaged_at is None
        if group.is_open or (unseen and (group.id in in_storms or looked == MOST_TRIAGED)) or incidents.has(group.id):
            continue
        members = store.members(group.id)
        if unseen:
            if not members or all(_is_quiet(context, alert, group.opened_at) for alert in members):
                continue
            if all(alert.kind is AlertKind.TEST for alert in members):
                continue
            looked += 1
            group = triaged(context, execution, group, members)
            store.store_triage(group)
        written += incidents.put(draft(group, members, _actions_of(group, execution)))
    return written


def _actions_of(group: Group, execution: Execution) -> list[ActionRecord]:
    found = []
    for identity in group.triage.get("actions", ()):
        try:
            found.append(execution.get(identity))
        except CrewError:
            continue  # an old action that housekeeping has forgotten
    return found
