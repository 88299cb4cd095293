"""Deduplication, grouping, ends, flapping and bounds, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from opscrew.alerts.alert import AlertState
from opscrew.alerts.groups import storm_of
from opscrew.alerts.rules import alert_rules
from opscrew.alerts.store import AlertStore
from opscrew.model.coverage import Gap
from tests.conftest import ManualClock
from tests.support.alerts import firing, resolved


def test_one_alert_told_by_three_systems_is_one(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    for source in ("alertmanager", "vmalert", "grafana", "alertmanager"):
        store.take([firing(clock(), source=source, prometheus=source)])
    (alert,) = store.firing()
    assert set(alert.sources) == {"alertmanager", "vmalert", "grafana"}
    assert len(store.groups()) == 1


def test_it_is_over_when_nobody_holds_it(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    told = firing(clock())
    store.take([told, firing(clock(), source="vmalert")])
    clock.forward(minutes=5)
    assert store.take([resolved(told, clock())]).resolved == 0
    assert store.reconcile("vmalert", []).resolved == 1
    assert store.list()[0].resolved_at == clock()


def test_what_a_source_does_not_know_stays_for_a_day(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    store.take([firing(clock(), source="vmalert"), firing(clock(), "DiskFull", source="vmalert")])
    gap = Gap("alerting rules", "their queries match no series", subjects=frozenset({"vmalert/alert//DiskFull"}))
    assert store.reconcile("vmalert", [], [gap]).resolved == 1
    assert [one.name for one in store.firing()] == ["DiskFull"]
    clock.forward(hours=25)
    assert store.reconcile("vmalert", [], [gap]).resolved == 1


def test_an_end_that_no_webhook_told_is_found_by_asking(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    store.take([firing(clock(), pod="a"), firing(clock(), pod="b")])
    clock.forward(minutes=1)
    taken = store.reconcile("alertmanager", [firing(clock(), pod="b"), firing(clock(), pod="c")])
    assert (taken.new, taken.resolved) == (1, 1)
    assert {one.labels["pod"] for one in store.firing()} == {"b", "c"}


def test_a_source_whose_clock_runs_ahead_tells_of_nothing_in_the_future(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    ahead = timedelta(hours=3)
    store.take([firing(clock() + ahead)])
    store.take([resolved(firing(clock() + ahead), clock() + ahead)])
    assert store.firing() == ()
    clock.forward(hours=1)
    store.take([firing(clock() + ahead)])  # it came back
    (alert,) = store.firing()
    assert alert.starts_at == clock()


def test_notices_out_of_order_change_nothing(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    first = firing(clock())
    store.take([first])
    clock.forward(minutes=2)
    store.take([resolved(first, clock())])
    store.take([first])  # a delivery that was tried again
    assert store.firing() == ()
    clock.forward(minutes=2)
    again = firing(clock())
    store.take([again])
    store.take([resolved(first, clock())])
    (alert,) = store.firing()
    assert alert.starts_at == again.starts_at


def test_a_group_closes_after_a_while_of_quiet_and_not_before(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    told = firing(clock())
    store.take([told])
    clock.forward(minutes=3)
    store.take([resolved(told, clock())])
    assert store.settle() == ()
    clock.forward(minutes=2)
    store.take([firing(clock())])
    clock.forward(minutes=10)
    assert store.settle() == ()
    assert len(store.groups()) == 1  # it came back within the quiet time: the same incident
    store.reconcile("alertmanager", [])
    clock.forward(minutes=6)
    (closed,) = store.settle()
    assert closed.closed_at == clock() - timedelta(minutes=6)


def test_flapping_is_seen(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    for _ in range(3):
        told = firing(clock())
        store.take([told])
        clock.forward(minutes=2)
        store.take([resolved(told, clock())])
        clock.forward(minutes=2)
    (alert,) = store.list()
    assert alert.is_flapping(clock(), store.rules)
    assert not alert.is_flapping(clock() + timedelta(hours=2), store.rules)


def test_an_alert_nobody_speaks_of_any_more_ends(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    store.take([firing(clock(), pod="a"), firing(clock(), source="grafana", pod="b")])
    clock.forward(days=2)
    assert store.let_go_unheard(polled={"grafana"}) == 1
    assert [one.labels["pod"] for one in store.firing()] == ["b"]


def test_no_more_are_kept_than_the_bound(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock, alert_rules().model_copy(update={"most_firing": 50}))
    taken = store.take([firing(clock(), pod=str(number)) for number in range(80)])
    assert (taken.new, taken.left_out) == (50, 30)
    assert store.take([firing(clock(), pod="0")]).left_out == 0  # what is known is still heard


def test_a_storm_names_what_its_alerts_share(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    store.take([firing(clock(), f"Alert{number}", node="n7", pod=str(number)) for number in range(300)])
    storm = storm_of(store.groups(), store.firing(), clock(), store.rules)
    assert storm is not None
    assert storm.alerts == 300
    assert ("node=n7", 300) in storm.common
    clock.forward(minutes=10)
    assert storm_of(store.groups(), store.firing(), clock(), store.rules) is None


def test_old_alerts_are_forgotten(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    told = firing(clock())
    store.take([told])
    store.take([resolved(told, clock())])
    clock.forward(days=31)
    assert store.forget_old() == 1
    assert store.list((AlertState.RESOLVED,)) == ()
