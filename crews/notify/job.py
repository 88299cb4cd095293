"""Tells people what is new: fills the outbox from the crew's own history, and sends what is due.

Each channel is sent at most one message a run, so one that floods is slowed down and one that hangs holds up no other
for longer than its own deadline.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from crews.notify.sending import Checkpoint, Sending
from crews.runtime.context import CrewContext
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.findings.life import FindingState
from opscrew.model.finding import Finding
from opscrew.model.run import Run, RunOutcome
from opscrew.model.subject import Subject
from opscrew.notify.channels import Health, all_health
from opscrew.notify.events import FAILING
from opscrew.notify.filling import fill
from opscrew.notify.history import age
from opscrew.notify.outbox import Outbox
from opscrew.store.database import reading

SOURCE = "notify"

LOOKS_BACK = timedelta(days=1)
"""What expired or was refused is held up as a finding for so long."""


def run(context: CrewContext, checkpoint: Checkpoint = lambda step: None) -> Run:
    """One round over all channels."""
    started = context.clock()
    settings, zone = context.settings.notify, context.settings.zone
    outbox = Outbox(context.engine, context.clock)
    fill(context.engine, settings, zone, started)
    outbox.settle()
    outcomes: dict[str, str] = {}
    for channel in settings.channels:
        outcome = Sending(outbox, settings, channel, zone, checkpoint).send_due(context.clock)
        if outcome:
            outcomes[channel.name] = outcome
            context.metrics.notifications.labels(channel.name, outcome).inc()
    now = context.clock()
    _observe(context, list(_failing(context, outbox, now)))
    failed = sorted(name for name, outcome in outcomes.items() if outcome != "sent")
    sent = len(outcomes) - len(failed)
    summary = f"{sent} messages sent" if settings.channels else "no channel is configured"
    return Run(
        crew="notify",
        started_at=started,
        ended_at=max(started, now),
        outcome=RunOutcome.PARTIAL if failed else RunOutcome.OK,
        summary=summary + (f"; not delivered in {', '.join(failed)}" if failed else ""),
        unavailable=tuple(f"notify {name}" for name in failed),
    )


def _failing(context: CrewContext, outbox: Outbox, now: datetime) -> Iterable[Finding]:
    with reading(context.engine).connect() as connection:
        known = all_health(connection)
    for channel in context.settings.notify.channels:
        health = known.get(channel.name)
        lost = outbox.count(channel.name, ("expired", "failed"), since=now - LOOKS_BACK)
        if health is not None and (lost or health.fails_for_long(now)):
            waiting = outbox.count(channel.name, ("pending", "held"))
            yield _finding(health, lost, waiting, now)


def _finding(health: Health, lost: int, waiting: int, now: datetime) -> Finding:
    subject = Subject(system="crew", kind="channel", name=health.name)
    parts = []
    if health.failing_since is not None:
        parts.append(f"it has taken no message for {age(now - health.failing_since)}: {health.problem}")
    parts += [f"{lost} events could not be told at all"] if lost else []
    parts += [f"{waiting} wait"] if waiting else []
    return finding(FAILING, subject, f"The channel {health.name}: {'; '.join(parts)}")


def _observe(context: CrewContext, found: list[Finding]) -> None:
    """Nothing is written where nothing fails and nothing failed."""
    ledger = Ledger(context.engine, context.clock)
    there = [state for state in FindingState if state is not FindingState.RESOLVED]
    if found or ledger.list(there, code=FAILING, limit=1):
        ledger.observe(SOURCE, found, complete=True)
