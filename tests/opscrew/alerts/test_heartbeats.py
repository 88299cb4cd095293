"""Alerts that should always fire: their silence is told, and by which link of the chain it came."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from opscrew.alerts.alert import Alert
from opscrew.alerts.heartbeats import due_within, heartbeat_findings
from opscrew.alerts.rules import alert_rules
from opscrew.alerts.store import AlertStore
from opscrew.model.coverage import Gap
from tests.conftest import ManualClock
from tests.support.alerts import firing, resolved


def watchdog(clock: ManualClock, **labels: str) -> Alert:
    return firing(clock(), "Watchdog", severity="none", **labels)


def told(store: AlertStore, clock: ManualClock, *polled: str) -> list[str]:
    found = heartbeat_findings([*store.firing(), *store.ended_heartbeats()], polled, clock(), store.rules)
    assert all(one.severity.value == "critical" and "Watchdog" in one.cause for one in found)
    return [one.code for one in found]


@pytest.fixture
def store(database: Engine, clock: ManualClock) -> AlertStore:
    return AlertStore(database, clock)


def test_while_it_comes_nothing_is_told_and_it_is_no_group(store: AlertStore, clock: ManualClock) -> None:
    first = watchdog(clock)
    for _ in range(30):
        store.take([first])
        assert told(store, clock) == []
        clock.forward(minutes=5)
    assert store.groups() == ()
    assert not store.firing()[0].is_flapping(clock(), store.rules)


def test_it_is_missed_after_a_little_more_than_its_own_pause(store: AlertStore, clock: ManualClock) -> None:
    first = watchdog(clock)
    for _ in range(5):
        store.take([first])
        clock.forward(minutes=5)
    clock.forward(minutes=9)
    assert told(store, clock) == []
    clock.forward(minutes=2)
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]
    store.take([first])
    assert told(store, clock) == []


def test_one_that_came_once_is_given_the_usual_repeat_of_four_hours(store: AlertStore, clock: ManualClock) -> None:
    store.take([watchdog(clock)])
    clock.forward(hours=4, minutes=30)
    assert told(store, clock) == []
    clock.forward(hours=1)
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]


def test_its_end_is_its_silence_until_it_comes_back(store: AlertStore, clock: ManualClock) -> None:
    first = watchdog(clock)
    store.take([first])
    clock.forward(minutes=5)
    store.take([resolved(first, clock())])
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]
    clock.forward(days=3)
    store.let_go_unheard(())
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]
    store.take([first])
    assert told(store, clock) == []


def test_a_source_that_was_restarted_is_given_some_minutes(store: AlertStore, clock: ManualClock) -> None:
    store.reconcile("alertmanager", [watchdog(clock)])
    clock.forward(minutes=1)
    store.reconcile("alertmanager", [])
    assert told(store, clock, "alertmanager") == []
    clock.forward(minutes=5)
    store.reconcile("alertmanager", [])
    assert told(store, clock, "alertmanager") == ["ALERT_HEARTBEAT_MISSING"]


def test_where_the_source_holds_it_and_no_webhook_comes_delivery_fails(store: AlertStore, clock: ManualClock) -> None:
    first = watchdog(clock)
    for _ in range(5):
        store.take([first])
        clock.forward(minutes=5)
    for _ in range(20):
        clock.forward(minutes=1)
        store.reconcile("alertmanager", [first])
    assert told(store, clock, "alertmanager") == ["ALERT_DELIVERY_FAILING"]


def test_where_it_never_came_by_webhook_asking_is_enough(store: AlertStore, clock: ManualClock) -> None:
    for _ in range(60):
        store.reconcile("alertmanager", [watchdog(clock)])
        clock.forward(minutes=30)
    clock.forward(minutes=-30)
    assert told(store, clock, "alertmanager") == []
    clock.forward(hours=6)
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"], "the source does not answer"


def test_a_source_that_answers_and_does_not_know_hides_no_silence(store: AlertStore, clock: ManualClock) -> None:
    store.reconcile("alertmanager", [watchdog(clock)])
    gap = Gap("alerts of alertmanager", "it does not know")
    for _ in range(6):
        clock.forward(hours=1)
        store.reconcile("alertmanager", [], [gap])
    assert told(store, clock, "alertmanager") == ["ALERT_HEARTBEAT_MISSING"]


def test_one_of_two_senders_that_falls_silent_is_missed(store: AlertStore, clock: ManualClock) -> None:
    one, other = watchdog(clock, prometheus="monitoring/a"), watchdog(clock, prometheus="monitoring/b")
    for _ in range(5):
        store.take([one, other])
        clock.forward(minutes=5)
    for _ in range(5):
        store.take([one])
        clock.forward(minutes=5)
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]


def test_the_end_of_one_that_nobody_knew_is_its_silence_too(store: AlertStore, clock: ManualClock) -> None:
    store.take([resolved(watchdog(clock), clock()), resolved(firing(clock()), clock())])
    assert told(store, clock) == ["ALERT_HEARTBEAT_MISSING"]
    assert [one.name for one in store.list()] == ["Watchdog"]


def test_a_usual_pause_is_the_median(clock: ManualClock) -> None:
    arrivals = [clock() + timedelta(minutes=5 * number) for number in range(6)]
    arrivals += [arrivals[-1] + timedelta(hours=20)]
    assert due_within(arrivals, alert_rules()) == timedelta(minutes=15)
