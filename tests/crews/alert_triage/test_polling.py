"""Asking the sources of alerts: what webhooks missed, what ended unheard, and a source that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from crews.alert_triage import job as alert_triage
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.alerts.deliveries import record_accepted
from opscrew.alerts.store import AlertStore
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.run import RunOutcome
from opscrew.settings import Settings
from tests.conftest import ManualClock
from tests.support.alerts import firing
from tests.support.http_answers import Answers, hang, http_answers, status, text, value
from tools.grafana.client import ALERTS


@pytest.fixture
def grafana() -> Iterator[Answers]:
    with http_answers() as running:
        yield running


@pytest.fixture
def context(tmp_path: Path, database: Engine, clock: ManualClock, grafana: Answers) -> Iterator[CrewContext]:
    settings = Settings(
        data_dir=tmp_path, grafana={"url": grafana.url, "timeout_seconds": 60}, memory={"embedding": "none"}
    )
    metrics = Metrics()
    with Systems(settings, clock, metrics) as systems:
        yield CrewContext(settings, database, clock, metrics, systems)


def impatient(context: CrewContext) -> CrewContext:
    """The same with a short time limit, for a source that hangs."""
    assert context.settings.grafana is not None
    grafana = context.settings.grafana.model_copy(update={"timeout_seconds": 0.5})
    settings = context.settings.model_copy(update={"grafana": grafana})
    return replace(context, settings=settings, systems=Systems(settings, context.clock, context.metrics))


def holds(grafana: Answers, clock: ManualClock, *names: str, minutes: float = 0, state: str = "active") -> None:
    """Grafana holds alerts of these names, which began so many minutes ago."""
    began, until = clock() - timedelta(minutes=minutes), clock() + timedelta(hours=1)
    grafana.by_path[ALERTS] = value(
        [
            {
                "fingerprint": f"g-{name}",
                "labels": {"alertname": name, "namespace": "shop"},
                "startsAt": began.isoformat(),
                "endsAt": until.isoformat(),
                "updatedAt": clock().isoformat(),
                "status": {"state": state, "silencedBy": [], "inhibitedBy": []},
            }
            for name in names
        ]
    )


def open_codes(context: CrewContext) -> set[str]:
    return {one.finding.code for one in Ledger(context.engine, context.clock).open()}


def test_an_alert_that_no_webhook_told_of_is_taken_in_and_the_gap_is_told(
    context: CrewContext, clock: ManualClock, grafana: Answers
) -> None:
    record_accepted(context.engine, "grafana", clock())
    holds(grafana, clock, "Checkout", minutes=7)
    alert_triage.run(context)
    (alert,) = AlertStore(context.engine, clock).firing()
    assert (alert.name, dict(alert.sources)) == ("Checkout", {"grafana": "g-Checkout"})
    assert "ALERT_WEBHOOK_MISSED" in open_codes(context)
    clock.forward(hours=2)
    holds(grafana, clock)
    alert_triage.run(context)
    assert "ALERT_WEBHOOK_MISSED" not in open_codes(context)


@pytest.mark.parametrize(
    ("minutes", "sends", "state"), [(2, True, "active"), (7, False, "active"), (7, True, "suppressed")]
)
def test_no_gap_where_a_webhook_may_still_come_is_not_set_up_or_is_silenced(
    context: CrewContext, clock: ManualClock, grafana: Answers, minutes: float, sends: bool, state: str
) -> None:
    if sends:
        record_accepted(context.engine, "grafana", clock())
    holds(grafana, clock, "Checkout", minutes=minutes, state=state)
    alert_triage.run(context)
    assert len(AlertStore(context.engine, clock).firing()) == 1
    assert "ALERT_WEBHOOK_MISSED" not in open_codes(context)


def test_what_the_webhook_told_already_is_not_missed(
    context: CrewContext, clock: ManualClock, grafana: Answers
) -> None:
    record_accepted(context.engine, "grafana", clock())
    AlertStore(context.engine, clock).take([firing(clock() - timedelta(minutes=9), "Checkout", source="grafana")])
    (told,) = AlertStore(context.engine, clock).firing()
    grafana.by_path[ALERTS] = value(
        [
            {
                "fingerprint": "g",
                "labels": dict(told.labels),
                "startsAt": told.starts_at.isoformat(),
                "endsAt": (clock() + timedelta(hours=1)).isoformat(),
                "updatedAt": clock().isoformat(),
            }
        ]
    )
    alert_triage.run(context)
    assert len(AlertStore(context.engine, clock).list()) == 1
    assert "ALERT_WEBHOOK_MISSED" not in open_codes(context)


@pytest.mark.parametrize("answer", [status(503, "busy"), status(401), hang, text("<html>login</html>"), value({})])
def test_a_source_that_does_not_answer_ends_no_alert(
    context: CrewContext, clock: ManualClock, grafana: Answers, answer: Any
) -> None:
    holds(grafana, clock, "Checkout")
    alert_triage.run(context)
    grafana.by_path[ALERTS] = answer
    clock.forward(minutes=10)
    run = alert_triage.run(impatient(context) if answer is hang else context)
    assert (run.outcome, run.unavailable) == (RunOutcome.PARTIAL, ("grafana",))
    assert len(AlertStore(context.engine, clock).firing()) == 1
    assert "SYSTEM_UNAVAILABLE" in open_codes(context)

    clock.forward(minutes=1)
    holds(grafana, clock)
    assert alert_triage.run(context).outcome is RunOutcome.OK
    assert AlertStore(context.engine, clock).firing() == ()
    assert "SYSTEM_UNAVAILABLE" not in open_codes(context)
