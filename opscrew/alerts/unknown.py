"""What a source of alerts does not know at present, although it answers: then an alert that it lacks is not over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from opscrew.model.coverage import Coverage, Gap
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
    """Why nobody knows whether alerts of some rules are over. Only what is broken is worth telling: the rest is told by
    the alerts that stay."""
    reasons: dict[tuple[str, bool], list[str]] = defaultdict(list)
    total = 0
    for rule in rules:
        if rule.type == "alerting":
            total += 1
            if why := _why_unknown(rule):
                reasons[why, rule.is_broken].append(rule.name)
    if not total:
        return [Gap(f"alerts of {source}", "it has no alerting rules at all: they were not loaded, or are elsewhere")]
    return [
        Gap(
            what=f"alerting rules of {source}",
            why=why,
            names=tuple(storable(name) for name in dict.fromkeys(names)),
            total=total,
            subjects=frozenset(alert_subject(source, name).key for name in names),
            is_expected=not is_broken,
        )
        for (why, is_broken), names in reasons.items()
    ]


def rule_coverage(gaps: Sequence[Gap]) -> Coverage:
    """How many rules judge. A source without any is rather meant so than broken."""
    total = max((gap.total for gap in gaps), default=0)
    silent = sum(len(gap.names) for gap in gaps if not gap.is_expected)
    return Coverage(max(0, total - silent) if total else 1, tuple(gaps))


def _why_unknown(rule: Rule) -> str:
    """A rule whose series are gone finds nothing, as one does whose trouble is over; and vmalert begins anew with the
    time that an alert must hold when it is started (https://docs.victoriametrics.com/victoriametrics/vmalert/)."""
    if rule.is_broken:
        return storable(rule.last_error, LONGEST_REASON) or f"health {rule.health}"
    if rule.last_evaluation is None:
        return "they have not been evaluated yet"
    if rule.series_fetched == 0:
        return "their queries match no series at all"
    if any(alert.state == "pending" for alert in rule.alerts):
        return "their condition holds, and has not held for long enough"
    return ""


def unknown_after_start(source: str, started_at: datetime | None, now: datetime) -> list[Gap]:
    """Of everything, while those who send alerts may not have sent them again."""
    if started_at is None or now - started_at >= RESENT:
        return []
    return [Gap(f"alerts of {source}", "it was started a few minutes ago and holds what came since", is_expected=True)]
