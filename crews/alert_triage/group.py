"""Triage of one group of alerts: look at everything, rank the causes, choose, propose a repair from the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crews.alert_triage.diagnostics import LOOKS, Case, look_at_all
from crews.alert_triage.model_choice import opinion
from crews.runtime.context import CrewContext
from opscrew.actions.execution import Execution
from opscrew.actions.lifecycle import OPEN_STATES
from opscrew.alerts.alert import AlertState
from opscrew.alerts.causes import Candidate, cause_rules, rank
from opscrew.alerts.clusters import cluster_of, in_cluster
from opscrew.alerts.groups import STORM, Group
from opscrew.alerts.kinds import AlertKind
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import own_labels_of, subject_of
from opscrew.alerts.repairs import proposed_repair, silence
from opscrew.alerts.rules import alert_rules
from opscrew.alerts.telling import group_finding
from opscrew.model.action import Action
from opscrew.model.subject import Subject
from opscrew.store.text import storable, storable_evidence

MOST_SUBJECTS = 20
ENLARGED = ("VOLUME_FILLING", "VOLUME_FULL", "VOLUME_INODES_FILLING")
"""Causes that storage_growth answers with an action of its own."""


def triaged(context: CrewContext, execution: Execution, group: Group, alerts: Sequence[KnownAlert]) -> Group:
    """The group with what was found out. Never raises for what a system does."""
    affected, note = _affected(context, alerts)
    case = Case(context, group, alerts, affected, min(alert.starts_at for alert in alerts), note)
    looks = look_at_all(case, LOOKS)
    clues = [clue for look in looks.values() for clue in look.clues]
    ranked = rank(clues, case.began_at, case.affected, cause_rules())
    lines = [line for look in looks.values() for line in look.evidence]
    judged = opinion(context.settings, group.title, ranked, lines, _names(case.affected, ranked))
    actions = _proposed(context, execution, group, alerts, judged.order)
    triage = {
        "causes": [_stored(candidate) for candidate in judged.order],
        "evidence": storable_evidence(lines),
        "not_looked_at": {name: storable(look.problem) for name, look in looks.items() if look.problem},
        "looked_at": [name for name, look in looks.items() if not look.problem],
        "explanation": storable(judged.text, 1_000),
        "explanation_note": judged.note,
        "action": actions[0] if actions else "",
        "actions": actions,
        "cluster_note": note,
    }
    if group.in_storm:
        triage[STORM] = group.triage[STORM]
    return replace(group, triage=triage, triaged_at=context.clock())


def _affected(context: CrewContext, alerts: Sequence[KnownAlert]) -> tuple[tuple[Subject, ...], str]:
    """The objects that the alerts name, and why some of them cannot be looked at in a cluster, or nothing."""
    found: dict[str, Subject] = {}
    notes = {}
    # Where a query fails, nobody knows whether anything is wrong with what it asks about.
    for alert in (one for one in alerts if one.kind is not AlertKind.QUERY):
        cluster, note = cluster_of(alert, context.settings.kubernetes)
        subject = subject_of(alert, cluster)
        if subject is None:
            continue
        if note:
            notes[note] = True
        elif cluster:
            subject = in_cluster(subject, cluster)
        found[subject.key] = subject
        node = own_labels_of(alert).get("node", "")
        if node and subject.kind != "Node":
            beside = Subject(system="kubernetes", kind="Node", scope=subject.scope.partition("/")[0], name=node)
            found[beside.key] = beside
    return tuple(found.values())[:MOST_SUBJECTS], "; ".join(notes)


def _names(affected: Sequence[Subject], ranked: Sequence[Candidate]) -> set[str]:
    """What the model may speak of by name, where the evidence does."""
    named = [*affected, *(one.clue.subject for one in ranked if one.clue.subject is not None)]
    return {subject.name for subject in named}


def _proposed(
    context: CrewContext, execution: Execution, group: Group, alerts: Sequence[KnownAlert], order: Sequence[Candidate]
) -> list[str]:
    """Ids of the actions that answer this group: the repair of the first cause, or a silence for what only flaps. What
    is over needs none."""
    if all(alert.state is not AlertState.FIRING for alert in alerts):
        return []
    known = group_finding(group, alerts, context.clock(), alert_rules()).fingerprint
    action: Action | None = proposed_repair(group, order, cause_rules(), finding=known)
    if action is not None:
        return [execution.propose(action).id]
    if order and order[0].clue.cause in ENLARGED and order[0].clue.subject is not None:
        target = order[0].clue.subject.key
        open_ones = [one for one in execution.in_states(OPEN_STATES) if one.action.target.key == target]
        return [one.id for one in open_ones[-1:]]
    if not order or order[0].score < cause_rules().repair_from:
        return _silence(context, execution, group, alerts)
    return []


def calmed(context: CrewContext, execution: Execution, group: Group, alerts: Sequence[KnownAlert]) -> Group:
    """The same group, or, where nothing was proposed for it and it flaps by now, with a proposed silence."""
    if group.triaged_at is None or group.triage.get("actions"):
        return group
    actions = _silence(context, execution, group, alerts)
    return replace(group, triage={**group.triage, "action": actions[0], "actions": actions}) if actions else group


def _silence(context: CrewContext, execution: Execution, group: Group, alerts: Sequence[KnownAlert]) -> list[str]:
    """The id of a proposed silence for the first alert that flaps."""
    flapping = [alert for alert in alerts if alert.is_flapping(context.clock(), alert_rules())]
    known = group_finding(group, alerts, context.clock(), alert_rules()).fingerprint
    quiet = silence(flapping[0], group, cause_rules(), finding=known) if flapping else None
    return [execution.propose(quiet).id] if quiet else []


def _stored(candidate: Candidate) -> Mapping[str, Any]:
    clue = candidate.clue
    return {
        "cause": clue.cause,
        "text": storable(clue.text),
        "began_at": clue.began_at.isoformat(),
        "subject": str(clue.subject or ""),
        "score": candidate.score,
        "why": candidate.why,
    }
