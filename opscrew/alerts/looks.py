"""Turns what was looked at into clues and evidence. Fetching is the crew's work; this judges what came back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from opscrew.alerts.causes import Clue
from opscrew.alerts.objects import place_of
from opscrew.findings.codes import title_of
from opscrew.findings.records import LedgerEntry
from opscrew.model.evidence import Evidence
from opscrew.model.subject import Subject
from opscrew.store.text import storable
from tools.victorialogs.records import Pattern
from tools.victorialogs.traces import gist
from tools.victoriametrics.records import Sample

GREW = 4
"""A pattern counts as changed when there are this many times more lines than in the hour before."""
LEAST_LINES = 3
MOST_PATTERNS = 5


@dataclass(frozen=True)
class Look:
    """What one source gave. ``problem`` is why it gave nothing, for people."""

    clues: tuple[Clue, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    problem: str = ""


def affects(entry: LedgerEntry, affected: Sequence[Subject]) -> bool:
    """Whether a finding is about an affected object, something in its namespace, a node, or a whole system."""
    subject = entry.finding.subject
    if subject.system != "kubernetes":
        return subject.kind in ("cluster", "workspace") or entry.finding.code == "SYSTEM_UNAVAILABLE"
    return any(
        subject.scope == place_of(one) or (subject.kind == "Node" and _cluster(subject) == _cluster(one))
        for one in affected
    )


def clues_of_findings(entries: Iterable[LedgerEntry]) -> tuple[Clue, ...]:
    """Each open finding may be a cause; it may have stood for long."""
    return tuple(
        Clue(
            cause=entry.finding.code,
            text=f"{title_of(entry.finding.code)}: {entry.finding.subject}. {entry.finding.cause}",
            began_at=entry.first_seen,
            subject=entry.finding.subject,
            lasting=True,
            evidence=entry.finding.evidence[:3],
        )
        for entry in entries
    )


def log_look(
    now_patterns: Sequence[Pattern], earlier: Sequence[Pattern], began_at: datetime, subject: Subject | None
) -> Look:
    """What is written now and was not, or hardly, in the hour before."""
    before = {pattern.text: pattern.count for pattern in earlier}
    changed = [
        pattern
        for pattern in now_patterns
        if pattern.count >= LEAST_LINES and pattern.count >= GREW * max(before.get(pattern.text, 0), 1)
    ]
    lines = tuple(
        Evidence(
            source="victorialogs patterns",
            text=storable(
                f"{pattern.count} lines, {before.get(pattern.text, 0)} in the hour before: {gist(pattern.text)}"
            ),
            observed_at=began_at,
        )
        for pattern in changed[:MOST_PATTERNS]
    )
    if not lines:
        return Look()
    text = f"New lines in the log: {storable(gist(changed[0].text), 160)}"
    return Look((Clue("logs", text, began_at, subject, evidence=lines),), lines)


def value_look(
    expression: str, present: Sequence[Sample], earlier: Sequence[Sample], labels: dict[str, str], now: datetime
) -> Look:
    """The alert's own expression now and an hour before, for the series that the alert is about."""
    shown = storable(" ".join(expression.split()), 200)
    words = f"now {_value(present, labels)}, an hour before {_value(earlier, labels)}"
    return Look(evidence=(Evidence(source=f"victoriametrics {shown}", text=words, observed_at=now),))


def _value(samples: Sequence[Sample], labels: dict[str, str]) -> str:
    fitting = [one for one in samples if all(labels.get(name, value) == value for name, value in one.labels.items())]
    if not fitting:
        return "no such series"
    values = sorted(one.value for one in fitting)
    return f"{values[-1]:g}" if len(values) == 1 else f"{values[0]:g} to {values[-1]:g} in {len(values)} series"


def _cluster(subject: Subject) -> str:
    return subject.scope.partition("/")[0]
