"""What people are told about alerts: one finding per group, one for a storm, one for a repair that did not help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from opscrew.alerts.alert import AlertState
from opscrew.alerts.asides import LINK, VALUES, left_out_of
from opscrew.alerts.groups import Group, Storm, worst
from opscrew.alerts.kinds import AlertKind, query_fault, query_sentence
from opscrew.alerts.life import KnownAlert
from opscrew.alerts.objects import (
    MOST_NAMED,
    Labelled,
    differing,
    listed,
    object_words,
    objects_in_short,
    objects_of,
    own_labels_of,
)
from opscrew.alerts.rules import Rules, alert_rules
from opscrew.alerts.sentences import sentence_of
from opscrew.findings.codes import finding
from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.reading_time import clock_time
from opscrew.store.text import LONGEST_SENTENCE, storable

MOST_CAUSES = 3
LONGEST_SHORT = 120
"""Characters of a rule's sentence where several groups are told in one."""


def subject_of_group(group: Group, alerts: Sequence[KnownAlert]) -> Subject:
    """The same for each incident of the same group, so that the ledger recognises it."""
    own = own_labels_of(alerts[0]) if alerts else {}
    scope = "/".join(own[name] for name in ("cluster", "namespace") if own.get(name))
    url = next((alert.url for alert in alerts if alert.url), "")
    return Subject(system="alertmanager", kind="alert", scope=scope, name=group.name, url=url)


def group_finding(group: Group, alerts: Sequence[KnownAlert], now: datetime, rules: Rules) -> Finding:
    """One for all alerts of the group, with the likeliest cause where triage found one."""
    firing = sorted(
        (alert for alert in alerts if alert.state is AlertState.FIRING),
        key=lambda one: (-one.severity.rank, one.starts_at, object_words(one)),
    )
    flapping = sum(1 for alert in firing if alert.is_flapping(now, rules))
    causes = group.triage.get("causes", [])
    parts = [f"{group.title}: {_count(firing)}", *_said(firing, rules)]
    parts += [group.triage["cluster_note"]] if group.triage.get("cluster_note") else []
    parts += [f"Likeliest cause: {causes[0]['text']}"] if causes else []
    parts += [f"{flapping} flapping"] if flapping else []
    not_looked_at = group.triage.get("not_looked_at", {})
    lines = [line for alert in firing[:MOST_NAMED] for line in _lines(alert)] + [
        Evidence(source="crew triage", text=f"{cause['score']:.2f} {cause['text']} ({cause['why']})", observed_at=now)
        for cause in causes
    ]
    lines += [
        Evidence(source="crew triage", text=storable(f"not looked at: {name} ({why})"), observed_at=now)
        for name, why in not_looked_at.items()
    ]
    is_test = bool(firing) and all(alert.kind is AlertKind.TEST for alert in firing)
    return finding(
        "ALERT_FIRING",
        subject_of_group(group, alerts),
        "; ".join(part.rstrip(".") for part in parts) + ".",
        severity=Severity.INFO if is_test else worst(firing),
        reason=group.name,
        aspect=group.key,
        evidence=lines,
        details={
            "group": group.id,
            "alerts": len(firing),
            "left_out": _left_out(firing)[0],
            "objects": objects_of(firing),
            "flapping": flapping,
            "action": group.triage.get("action", ""),
            "not_looked_at": dict(not_looked_at),
        },
    )


def said_of(alert: Labelled) -> str:
    """What its rule says, in one sentence: of a query that fails that, since what the rule claims was not measured."""
    if query_fault(alert.labels, alert.annotations):
        return query_sentence(alert.labels, alert.annotations)
    values = alert.annotations.get(VALUES, "")
    return sentence_of(alert.annotations) or (f"values: {values}" if values else "")


def storm_finding(storm: Storm, now: datetime) -> Finding:
    """One notice for everything. It names what the alerts share, and the gravest of them with what was found out."""
    common = ", ".join(f"{pair} ({count})" for pair, count in storm.common) or "no label"
    named = storm.groups[: alert_rules().storm_named]
    gravest = "; ".join(_in_short(group, alerts) for group, alerts in named)
    causes = [cause for group, _ in named for cause in group.triage.get("causes", [])[:1]]
    causes.sort(key=lambda cause: -cause["score"])
    groups = f"{len(storm.groups)} group{'' if len(storm.groups) == 1 else 's'}"
    told = (
        f"{storm.alerts} alerts in {groups} since {clock_time(storm.since)}; most share {common}. "
        f"The gravest: {gravest}"
    )
    told += f". Likeliest cause: {causes[0]['text']}" if causes else ""
    return finding(
        "ALERT_STORM",
        Subject(system="alertmanager", kind="storm", name="alerts"),
        storable(told, LONGEST_SENTENCE),
        evidence=[
            Evidence(source="crew alerts", text=f"shared labels: {common}", observed_at=now),
            *(line for _, alerts in named for line in _lines(alerts[0])),
            *(
                Evidence(source="crew triage", text=f"{cause['score']:.2f} {cause['text']}", observed_at=now)
                for cause in causes[:MOST_CAUSES]
            ),
        ],
        details={
            "alerts": storm.alerts,
            "groups": len(storm.groups),
            "common": [list(pair) for pair in storm.common],
            "gravest": [group.id for group, _ in named],
        },
    )


def repair_failed_finding(group: Group, alerts: Sequence[KnownAlert], action: str, why: str) -> Finding:
    """A repair was carried out, and the alert or its object is still not well."""
    return finding(
        "ALERT_REPAIR_FAILED",
        subject_of_group(group, alerts),
        f"{group.title}: the repair (action {action}) did not help: {why}",
        aspect=group.key,
        details={"group": group.id, "action": action},
    )


def _count(firing: Sequence[KnownAlert]) -> str:
    """How many fire, with those that the sender counted and did not send."""
    if firing and all(alert.kind is AlertKind.TEST for alert in firing):
        return "a test of the way to us arrived"
    more, sent = _left_out(firing)
    alone = f"{len(firing)} alert{'' if len(firing) == 1 else 's'} firing"
    if not more:
        return alone
    if sent > len(firing):  # the delivery held others too, and nobody knows whose the rest are
        return f"{alone}; the sender left out {more} further ones of its delivery"
    return f"{len(firing) + more} alerts firing, of which the sender named {len(firing)} and left out {more}"


def _left_out(firing: Sequence[KnownAlert]) -> tuple[int, int]:
    return max((left_out_of(alert.annotations) for alert in firing), default=(0, 0))


def _said(firing: Sequence[KnownAlert], rules: Rules) -> Iterator[str]:
    """The objects by name, what tells them apart, and what the rule says; where it says nothing, the values."""
    objects = objects_in_short(firing)
    apart = "; ".join(differing(firing)) if len(objects_of(firing)) < len(firing) else ""
    if objects or apart:
        yield f"{objects} ({apart})" if objects and apart else objects or apart
    faults = list(dict.fromkeys(said_of(one) for one in firing if one.kind is AlertKind.QUERY))
    sentence = listed(faults) if faults else next((said for one in firing if (said := said_of(one))), "")
    if sentence:
        yield storable(sentence, LONGEST_SENTENCE // 4)
    words = list(dict.fromkeys(word for one in firing if (word := rules.unknown_severity(one.labels))))
    if words:
        yield f"the severity {storable(listed(words), 60)} is not known and counts as a warning"


def _in_short(group: Group, firing: Sequence[KnownAlert]) -> str:
    """A group of a storm: its title, severity, first objects and what its rule says."""
    said = next((said for one in firing if (said := said_of(one))), "")
    parts = filter(None, (worst(firing).value, objects_in_short(firing, 2), storable(said.rstrip("."), LONGEST_SHORT)))
    return f"{group.title} ({': '.join(parts)})"


def _lines(alert: KnownAlert) -> Iterator[Evidence]:
    """Its labels, and what Grafana measured."""
    told = ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()) if name != "alertname")
    source = ", ".join(sorted(alert.sources)) or "alert"
    yield Evidence(source=source, text=storable(told), observed_at=alert.starts_at, link=alert.url)
    values, link = alert.annotations.get(VALUES, ""), alert.annotations.get(LINK, "")
    if values or link:
        text = f"values {values}" if values else "the panel of the rule"
        yield Evidence(source="grafana", text=text, observed_at=alert.starts_at, link=link)
