"""The draft of an incident report: what happened, what was seen, what was done, and whether that helped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.actions.records import ActionRecord
from opscrew.alerts.groups import Group, worst
from opscrew.alerts.kinds import STATE_REASON
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import object_words, subject_of
from opscrew.alerts.telling import said_of
from opscrew.memory.documents import Document
from opscrew.model.action import ActionState
from opscrew.reading_time import clock_time, minute
from opscrew.store.text import storable

MOST_LINES = 60
MOST_ALERTS = 20
MOST_OBJECTS = 500
"""Names of one draft: more than people read, and few enough to be kept."""


@dataclass(frozen=True)
class Incident:
    """``id`` is the group's. ``outcome`` is proven, disproven or open; ``state`` is draft or written."""

    id: str
    title: str
    severity: str
    system: str
    code: str
    started_at: datetime
    ended_at: datetime
    outcome: str
    text: str
    state: str = "draft"
    written_by: str = ""


def draft(group: Group, alerts: Sequence[KnownAlert], actions: Sequence[ActionRecord]) -> Incident:
    """The account of one closed group, in Markdown. Everything in it was stored before, redacted and capped."""
    started = min((alert.starts_at for alert in alerts), default=group.opened_at)
    ended = group.closed_at or max((alert.resolved_at or group.opened_at for alert in alerts), default=group.opened_at)
    causes = group.triage.get("causes", [])
    code = causes[0]["cause"] if causes and causes[0]["cause"].isupper() else ""
    return Incident(
        id=group.id,
        title=storable(group.title, 200),
        severity=worst(alerts).value,
        system="kubernetes" if any(subject_of(alert) for alert in alerts) else "",
        code=code,
        started_at=started,
        ended_at=max(started, ended),
        outcome=_outcome(actions),
        text="\n\n".join(part for part in _parts(group, alerts, actions, started, ended) if part),
    )


def as_document(incident: Incident) -> Document:
    """As knowledge that recall finds."""
    proven = {"proven": True, "disproven": False}.get(incident.outcome)
    return Document(
        id=f"incident/{incident.started_at:%Y-%m-%d}-{incident.id}",
        title=incident.title,
        text=incident.text,
        kind="incident",
        system=incident.system,
        code=incident.code,
        severity=incident.severity,
        happened_at=incident.started_at,
        proven=proven,
    )


def _parts(
    group: Group, alerts: Sequence[KnownAlert], actions: Sequence[ActionRecord], started: datetime, ended: datetime
) -> Iterable[str]:
    minutes = max(int((ended - started).total_seconds() // 60), 0)
    yield f"# {storable(group.title, 200)}"
    yield (
        f"## What happened\n\n{len(alerts)} alert{'s' if len(alerts) != 1 else ''} from {minute(started)} to "
        f"{clock_time(ended)}, for {minutes} minutes. Severity: {worst(alerts).value}."
    )
    if alerts:
        yield "## Objects\n\n" + "\n".join(_objects(alerts))
    if group.triage.get("explanation"):
        yield f"In the model's words: {group.triage['explanation']}"
    yield "## Timeline\n\n" + "\n".join(f"- {minute(at)} {text}" for at, text in _timeline(group, alerts, actions))
    causes = group.triage.get("causes", [])
    if causes:
        yield "## Likely causes\n\n" + "\n".join(
            f"{number}. {cause['text']} ({cause['why']}; fit {cause['score']:.2f})"
            for number, cause in enumerate(causes, 1)
        )
    lines = group.triage.get("evidence", [])
    if lines:
        yield "## Evidence\n\n" + "\n".join(f"- {line['source']}: {line['text']}" for line in lines[:MOST_LINES])
    yield "## What was done\n\n" + ("\n".join(map(_told, actions)) or "Nothing by the crew.")
    yield "## Outcome\n\n" + _WORDS[_outcome(actions)]


def _timeline(
    group: Group, alerts: Sequence[KnownAlert], actions: Sequence[ActionRecord]
) -> Iterable[tuple[datetime, str]]:
    told: list[tuple[datetime, str]] = []
    for alert in alerts[:MOST_ALERTS]:
        told.append((alert.starts_at, f"{alert.name} began ({_place(alert)})"))
        told += (
            [(alert.resolved_at, f"{alert.name} ended ({_place(alert)}){_unproven(alert)}")]
            if alert.resolved_at
            else []
        )
    for cause in group.triage.get("causes", []):
        told.append((datetime.fromisoformat(cause["began_at"]), cause["text"]))
    if group.triaged_at:
        told.append((group.triaged_at, "looked into"))
    for record in actions:
        told.append((record.proposed_at, f"{record.action.kind} of {record.action.target} proposed"))
        if record.finished_at:
            told.append((record.finished_at, f"{record.action.kind} {record.state.value}: {record.note}"))
    return sorted(told, key=lambda one: one[0])[:MOST_LINES]


def _objects(alerts: Sequence[KnownAlert]) -> Iterable[str]:
    """Every one by name, with what its rule said of it."""
    said: dict[str, str] = {}
    for alert in alerts:
        said.setdefault(_place(alert), said_of(alert))
    names = list(said)
    yield from (f"- {name}" + (f": {said[name]}" if said[name] else "") for name in names[:MOST_OBJECTS])
    if len(names) > MOST_OBJECTS:
        yield f"- and {len(names) - MOST_OBJECTS} more"


def _unproven(alert: KnownAlert) -> str:
    """Grafana ends an alert also when its series or its rule is gone: nobody has then seen that all is well."""
    reason = alert.annotations.get(STATE_REASON, "")
    return f", not because it was well: Grafana says {reason}" if reason else ""


def _place(alert: KnownAlert) -> str:
    return object_words(alert) or "no object named"


def _told(record: ActionRecord) -> str:
    note = f": {record.note}" if record.note else ""
    return f"- {record.action.kind} of {record.action.target}, {record.state.value}{note} (action {record.id})"


def _outcome(actions: Sequence[ActionRecord]) -> str:
    states = {record.state for record in actions}
    if ActionState.SUCCEEDED in states:
        return "proven"
    return "disproven" if ActionState.FAILED in states else "open"


_WORDS = {
    "proven": "The alerts ended after the action had succeeded.",
    "disproven": "The action failed; the alerts ended without it.",
    "open": "The alerts ended without an action of the crew. A person may know why; write it down here.",
}
