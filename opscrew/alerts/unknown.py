"""What a source of alerts does not know at present, although it answers: then an alert that it lacks is not over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from opscrew.model.coverage import Gap
from opscrew.model.subject import Subject
from opscrew.store.text import storable
from tools.victoriametrics.records import Rule

RESENT = timedelta(minutes=5)
"""Alertmanager keeps no alerts over a restart. Rules send theirs again within its ``resolve_timeout``, by default 5 min
(https://prometheus.io/docs/alerting/latest/configuration/#file-layout-and-global-settings)."""

LONGEST_REASON = 160


def alert_subject(source: str, name: str) -> Subject:
    """The alerts of one name in one source."""
    return Subject(system=source, kind="alert", name=name)


def unknown_to_rules(source: str, rules: Iterable[Rule]) -> list[Gap]:
    """Of rules that could not be evaluated, or have not been since a restart: nobody knows whether they hold."""
    reasons: dict[str, list[str]] = defaultdict(list)
    total = 0
    for rule in rules:
        if rule.type != "alerting":
            continue
        total += 1
        if rule.is_broken:
            reasons[storable(rule.last_error, LONGEST_REASON) or f"health {rule.health}"].append(rule.name)
        elif rule.last_evaluation is None:
            reasons["they have not been evaluated yet"].append(rule.name)
    if not total:
        return [Gap(f"alerts of {source}", "it has no alerting rules at all: they were not loaded, or are elsewhere")]
    return [
        Gap(
            what=f"alerting rules of {source}",
            why=why,
            names=tuple(storable(name) for name in dict.fromkeys(names)),
            total=total,
            subjects=frozenset(alert_subject(source, name).key for name in names),
            is_expected=why == "they have not been evaluated yet",
        )
        for why, names in reasons.items()
    ]


def unknown_after_start(source: str, started_at: datetime | None, now: datetime) -> list[Gap]:
    """Of everything, while those who send alerts may not have sent them again."""
    if started_at is None or now - started_at >= RESENT:
        return []
    return [Gap(f"alerts of {source}", "it was started a few minutes ago and holds what came since", is_expected=True)]
