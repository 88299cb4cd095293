"""What the crew found: open findings, and those that fall into the time that was asked about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import ColumnElement, or_

from crews.ask.gather.collector import Request
from opscrew.answer.packet import Fact
from opscrew.answer.understand.subjects import alternatives
from opscrew.findings import rows
from opscrew.findings.codes import title_of
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import OPEN, FindingState
from opscrew.findings.records import LedgerEntry
from opscrew.model.subject import Subject
from opscrew.store.runs import latest_runs

MOST_ENTRIES = 10
STANDINGS = (OPEN, (FindingState.RESOLVED,), (FindingState.SUPPRESSED,))
"""What is counted apart: what is there, what is over, and what is there and muted."""

MOST_BEFORE = 6
"""Earlier findings that are told, and as many that are like them."""

LINES_EACH = 3
"""Lines of evidence told of each of the first few findings."""
WITH_LINES = 4

UNSEEN = ("NOT_MEASURED", "VOLUME_METRICS_MISSING", "SYSTEM_UNAVAILABLE")
"""Codes of findings that are no fault of what they are about, but that it cannot be seen."""

BACKGROUND_FOR = ("actions", "pipeline_status", "changes", "runners", "act", "how_to", "metrics", "logs")
"""Intents whose answer stands elsewhere: findings then only say what else is known."""


def collect(request: Request) -> Sequence[Fact]:
    """Findings of the intent's codes and the question's subjects, the gravest and latest first."""
    ledger = Ledger(request.context.engine, request.context.clock)
    narrowed = _narrowed(request)
    if request.understood.subjects:
        found = [entry for entry in ledger.list(also=narrowed, limit=None) if _is_about(entry, request)]
        counted = tuple(sum(entry.state in states for entry in found) for states in STANDINGS)
    else:
        found = list(ledger.list(also=narrowed, limit=MOST_ENTRIES))
        counted = tuple(sum(ledger.count(states, also=narrowed).values()) for states in STANDINGS)
    facts = [_summary(counted, request)]
    is_background = request.understood.intent in BACKGROUND_FOR
    for place, entry in enumerate(found[:MOST_ENTRIES]):
        # The list begins with the gravest; a critical one is told before single builds.
        weight = 4 - 0.1 * place if is_background else 8 + entry.finding.severity.rank - 0.1 * place
        facts.append(_fact(entry, request, weight))
        if place < WITH_LINES:
            facts += _lines(entry, weight - 2.5)
    return [*facts, *([] if is_background else _gaps(ledger, found, request))]


def _gaps(ledger: Ledger, told: Sequence[LedgerEntry], request: Request) -> list[Fact]:
    """Findings which say that nobody measures something of the field that was asked about: no number of findings is
    whole without them."""
    known = {entry.fingerprint for entry in told[:MOST_ENTRIES]}
    is_ci = request.intent.domain == "ci"
    return [
        replace(_fact(entry, request, 0), text=entry.finding.cause, is_gap=True)
        for code in UNSEEN
        for entry in ledger.list(OPEN, code=code)
        if entry.fingerprint not in known and is_ci is (entry.finding.subject.system == "bitbucket")
    ]


def collect_past(request: Request) -> Sequence[Fact]:
    """For "have we seen this before?": how often, when first and last, and the findings that are like the subject's."""
    ledger = Ledger(request.context.engine, request.context.clock)
    # Without a name everything is meant: then the first few are enough, and nothing else can be like them.
    limit = None if request.understood.subjects else MOST_BEFORE
    here = [entry for entry in ledger.list(also=_about(request), limit=limit) if _is_about(entry, request)]
    signatures = {_signature(entry) for entry in here if _signature(entry)}
    told = {entry.fingerprint for entry in here}
    like = or_(rows.coded(signatures), rows.naming(signatures))
    alike = [
        entry
        for entry in (ledger.list(also=[like], limit=None) if request.understood.subjects else ())
        if entry.fingerprint not in told and _signature(entry) in signatures
    ]
    facts = []
    for place, entry in enumerate(here[:MOST_BEFORE]):
        facts.append(_fact(entry, request, 9 - 0.1 * place))
        changes = [change for change in ledger.history(entry.fingerprint) if change.change in ("appeared", "gone")]
        if len(changes) > 1:
            times = ", ".join(f"{change.change} {request.when(change.at)}" for change in changes[-6:])
            facts.append(Fact("findings ledger", f"{entry.finding.subject} before: {times}", changes[-1].at, weight=7))
    for place, entry in enumerate(alike[:MOST_BEFORE]):
        facts.append(_fact(entry, request, 6 - 0.1 * place))
    return facts


def collect_runs(request: Request) -> Sequence[Fact]:
    """When each crew last looked: without a look, "nothing found" means nothing."""
    latest = {run.crew: run for run in reversed(latest_runs(request.context.engine, limit=200))}
    if not latest:
        text = "No crew has looked yet; `crew run` or `crew serve` makes them look."
        return [Fact("run list", text, request.now, weight=6)]
    return [
        Fact(
            "run list",
            f"{run.crew} last looked at {request.when(run.ended_at)} ({run.outcome.value}): {run.summary}",
            run.ended_at,
            weight=2 if run.outcome == "ok" else 6,
        )
        for run in latest.values()
    ]


def _summary(counted: Sequence[int], request: Request) -> Fact:
    still_open, over, muted = counted
    about = f" about {request.understood.subject}" if request.understood.subject else ""
    extra = (f", {over} resolved" if over else "") + (f", {muted} muted" if muted else "")
    return Fact(
        "findings ledger",
        f"{still_open} open finding{'' if still_open == 1 else 's'}{about}{extra}",
        request.now,
        weight=4,
    )


def _fact(entry: LedgerEntry, request: Request, weight: float) -> Fact:
    told = entry.finding
    if entry.resolved_at:
        state = f"resolved at {request.when(entry.resolved_at)}, first seen {request.when(entry.first_seen)}"
    else:
        state = f"{entry.state.value} since {request.when(entry.first_seen)}"
    reason = f" ({told.reason})" if told.reason and told.reason not in told.cause else ""
    text = f"{title_of(told.code)}: {told.subject}: {told.cause}{reason}; {state}; {told.severity.value}"
    return Fact(f"findings ledger {told.code}", text, entry.last_seen, told.subject.url, weight)


def _lines(entry: LedgerEntry, weight: float) -> list[Fact]:
    return [
        Fact(line.source, line.text, line.observed_at, line.link, weight - 0.01 * place)
        for place, line in enumerate(entry.finding.evidence[:LINES_EACH])
    ]


def _narrowed(request: Request) -> list[ColumnElement[bool]]:
    """What the database can sort out: codes of the intent, the time that was asked about, and names."""
    narrowed = _about(request)
    if request.intent.codes:
        narrowed.append(rows.coded(request.intent.codes))
    narrowed.append(rows.unresolved() if request.start is None else rows.standing_between(request.start, request.end))
    return narrowed


def _about(request: Request) -> list[ColumnElement[bool]]:
    """Findings that hold the names somewhere; ``_is_about`` then looks closely."""
    return [
        rows.naming(one.name.removeprefix("#") for one in group) for group in alternatives(request.understood.subjects)
    ]


def _is_about(entry: LedgerEntry, request: Request) -> bool:
    """What the question names is this finding's subject, a place it is in, or a build of it."""
    subject, details = entry.finding.subject, entry.finding.details
    names = {subject.name, *subject.scope.split("/"), str(details.get("namespace", ""))}
    names |= {str(one.get("name", "")) for one in details.get("affected", []) if isinstance(one, dict)}
    names |= {f"#{details.get('build_number')}"}

    def is_meant(asked: Subject) -> bool:
        is_owned = asked.kind != "pipeline" and any(name.startswith(f"{asked.name}-") for name in names)
        return asked.name in names or is_owned

    return all(any(map(is_meant, group)) for group in alternatives(request.understood.subjects))


def _signature(entry: LedgerEntry) -> str:
    details = entry.finding.details
    return str(details.get("signature") or "") or (
        entry.finding.code if entry.finding.subject.system != "bitbucket" else ""
    )
