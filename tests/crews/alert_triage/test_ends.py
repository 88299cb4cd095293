"""Alerts that were over before anybody looked, and alerts that come and go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from crews.alert_triage import job as alert_triage
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from opscrew.actions.execution import Execution
from opscrew.actions.records import ActionRecord
from opscrew.alerts.incident_store import IncidentStore
from opscrew.alerts.incidents import Incident
from opscrew.alerts.store import AlertStore
from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.metrics import Metrics
from opscrew.model.action import ActionState
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from tests.conftest import ManualClock
from tests.support.alerts import firing, resolved

QUIET = 6
"""Minutes after which a group without a firing alert is over."""


@pytest.fixture
def context(tmp_path: Path, database: Engine, clock: ManualClock) -> Iterator[CrewContext]:
    windows = [{"name": "night", "labels": {"namespace": "staging"}, "hours": "11:00-12:04"}]
    settings = Settings(data_dir=tmp_path, memory={"embedding": "none"}, alerts={"maintenance": windows})
    metrics = Metrics()
    with Systems(settings, clock, metrics) as systems:
        yield CrewContext(settings, database, clock, metrics, systems)


def comes_and_goes(context: CrewContext, clock: ManualClock, *names: str, seconds: float = 10, **labels: str) -> None:
    store = AlertStore(context.engine, clock)
    told = [firing(clock(), name, deployment="web", **labels) for name in names]
    store.take(told)
    clock.forward(seconds=seconds)
    store.take([resolved(one, clock()) for one in told])


def incidents(context: CrewContext, clock: ManualClock) -> tuple[Incident, ...]:
    return tuple(IncidentStore(context.engine, clock).list())


def actions(context: CrewContext, clock: ManualClock) -> tuple[ActionRecord, ...]:
    return tuple(Execution(context.engine, context.settings, clock, context.uptime).list())


def test_an_alert_that_ended_before_the_first_look_is_written_up_with_what_can_still_be_seen(
    context: CrewContext, clock: ManualClock
) -> None:
    web = Subject(system="kubernetes", kind="Deployment", scope="prod/shop", name="web")
    crash = finding("POD_CRASH_LOOPING", web, "web exits with 1")
    Ledger(context.engine, clock).observe("cluster_health/prod", [crash], complete=True)
    comes_and_goes(context, clock, "PodsRestart", cluster="prod")
    assert alert_triage.run(context).summary.endswith("0 incidents written up")  # it may come back
    clock.forward(minutes=QUIET)
    assert alert_triage.run(context).summary == "0 alerts firing, 0 groups looked into, 1 incidents written up"
    (incident,) = incidents(context, clock)
    assert incident.outcome == "open"
    assert incident.ended_at - incident.started_at == timedelta(seconds=10)
    for words in (
        "PodsRestart began (Deployment prod/shop/web)",
        "PodsRestart ended",
        "web exits with 1",
        "Nothing by the crew",
    ):
        assert words in incident.text
    assert actions(context, clock) == ()  # nothing is left to repair
    assert alert_triage.run(context).summary.endswith("0 incidents written up")


def test_what_was_expected_or_silenced_then_is_not_written_up(context: CrewContext, clock: ManualClock) -> None:
    comes_and_goes(context, clock, "Expected", namespace="staging")
    clock.forward(minutes=QUIET)  # the window is over by now
    alert_triage.run(context)
    assert incidents(context, clock) == ()


def test_what_came_in_a_storm_is_not_written_up_one_by_one(context: CrewContext, clock: ManualClock) -> None:
    comes_and_goes(context, clock, *(f"Rule{number}" for number in range(30)))
    clock.forward(minutes=30)
    comes_and_goes(context, clock, "Later")
    clock.forward(minutes=QUIET)
    alert_triage.run(context)
    assert [one.title for one in incidents(context, clock)] == ["Later in shop"]


def test_an_alert_that_begins_to_flap_is_one_notice_and_a_silence_is_proposed(
    context: CrewContext, clock: ManualClock
) -> None:
    store = AlertStore(context.engine, clock)
    alert = firing(clock())
    store.take([alert])
    clock.forward(minutes=1)
    assert "1 groups looked into" in alert_triage.run(context).summary
    assert actions(context, clock) == ()
    for _ in range(3):
        store.take([resolved(alert, clock())])
        clock.forward(minutes=1)
        alert = firing(clock())
        store.take([alert])
        alert_triage.run(context)
        clock.forward(minutes=1)
    told = [one for one in Ledger(context.engine, clock).open() if one.finding.code == "ALERT_FIRING"]
    assert len(told) == 1
    assert "1 flapping" in told[0].finding.cause
    (record,) = actions(context, clock)
    assert (record.action.kind, record.state) == ("silence_alert", ActionState.WAITING)
    assert told[0].finding.details["action"] == record.id
    alert_triage.run(context)
    assert len(actions(context, clock)) == 1
