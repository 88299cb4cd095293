"""Asks Alertmanager, Grafana and vmalert what fires now, so that no alert rests on one delivery of a webhook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog

from crews.runtime.context import CrewContext
from opscrew.alerts.alert import Alert
from opscrew.alerts.deliveries import all_deliveries, record_missed
from opscrew.alerts.polled import from_routed, from_vmalert
from opscrew.alerts.store import AlertStore
from opscrew.alerts.unknown import rule_coverage, unknown_after_start, unknown_to_rules
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.findings.not_measured import not_measured
from opscrew.model.coverage import Gap
from opscrew.model.subject import Subject
from tools.errors import UpstreamError

log = structlog.get_logger(__name__)


def poll(context: CrewContext, store: AlertStore) -> tuple[set[str], list[str], list[Gap]]:
    """Names of the sources that answered, of those that did not, and what those that did do not know. Neither silence
    nor a gap ends an alert."""
    answered: set[str] = set()
    silent: list[str] = []
    unknown: list[Gap] = []
    ledger = Ledger(context.engine, context.clock)
    for source, ask in alert_sources(context):
        problems = []
        try:
            present = ask()
        except UpstreamError as problem:
            silent.append(source)
            subject = Subject(system=source, kind="system", name=source)
            problems = [finding("SYSTEM_UNAVAILABLE", subject, f"{source} does not answer: {problem}"[:400])]
        else:
            answered.add(source)
            _note_missed(context, store, source, present)
            gaps = gaps_of(context, source)
            store.reconcile(source, present, gaps)
            problems = not_measured(Subject(system=source, kind="system", name=source), "rules", rule_coverage(gaps))
            unknown += gaps
        ledger.observe(f"alert_triage/{source}", problems, complete=source in answered)
    return answered, silent, unknown


def gaps_of(context: CrewContext, source: str) -> tuple[Gap, ...]:
    """What a source that answered does not know. That it does not say so is no gap: it answered for its alerts."""
    systems, now = context.systems, context.clock()
    try:
        if source == "vmalert" and systems.vmalert is not None:
            return tuple(unknown_to_rules(source, systems.vmalert.rules()))
        if source == "alertmanager" and systems.alertmanager is not None:
            return tuple(unknown_after_start(source, systems.alertmanager.started_at(), now))
    except UpstreamError as problem:
        log.warning("a source of alerts does not say what it knows", source=source, reason=str(problem))
    return ()


def alert_sources(context: CrewContext) -> list[tuple[str, Callable[[], Sequence[Alert]]]]:
    """Each configured source by name, with the question that it is asked. The question may raise ``UpstreamError``."""
    systems, clock = context.systems, context.clock
    found: list[tuple[str, Callable[[], Sequence[Alert]]]] = []
    alertmanager, grafana, vmalert = systems.alertmanager, systems.grafana, systems.vmalert
    if alertmanager is not None:
        found.append(("alertmanager", lambda: from_routed("alertmanager", alertmanager.alerts(), clock())))
    if grafana is not None:
        part = context.settings.grafana
        url = str(part.url) if part is not None else ""
        found.append(("grafana", lambda: from_routed("grafana", grafana.alerts(), clock(), url)))
    if vmalert is not None:
        found.append(("vmalert", lambda: from_vmalert(vmalert.alerts(), clock())))
    return found


def _note_missed(context: CrewContext, store: AlertStore, source: str, present: Sequence[Alert]) -> None:
    """Only for a source that does send webhooks; what is silenced is never sent."""
    if not any(one.source == source and one.accepted for one in all_deliveries(context.engine)):
        return
    now = context.clock()
    before = now - timedelta(minutes=store.rules.missed_after_minutes)
    known = {alert.fingerprint for alert in store.firing()}
    missed = [one for one in present if not one.silenced and one.starts_at < before and one.fingerprint not in known]
    if missed:
        record_missed(context.engine, source, len(missed), now)
