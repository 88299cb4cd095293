"""Deduplication, grouping, ends, flapping and bounds, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Engine

from opscrew.alerts.alert import AlertState
from opscrew.alerts.groups import Storm, storm_of
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


def test_an_end_of_an_earlier_time_changes_nothing(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    first = firing(clock())
    store.take([first])
    clock.forward(minutes=2)
    ended = resolved(first, clock())
    store.take([ended])
    clock.forward(minutes=2)
    again = firing(clock())
    store.take([again])
    store.take([ended])
    (alert,) = store.firing()
    assert alert.starts_at == again.starts_at


def test_an_end_counts_by_its_end_also_with_an_earlier_beginning(database: Engine, clock: ManualClock) -> None:
    """Of a pair of Alertmanagers each has its own beginning; Grafana gives an end's own time as its beginning."""
    store = AlertStore(database, clock)
    early = firing(clock())
    clock.forward(seconds=20)
    store.take([firing(clock())])
    clock.forward(minutes=5)
    assert store.take([resolved(early, clock())]).resolved == 1
    store.take([firing(clock())])
    clock.forward(minutes=5)
    assert store.take([resolved(firing(clock()), clock())]).resolved == 1
    assert store.firing() == ()


def test_firing_again_after_any_end_is_firing_again(database: Engine, clock: ManualClock) -> None:
    """Also with the same beginning: a time-out or a lost connection ended it, and the world knows nothing of it."""
    store = AlertStore(database, clock)
    told = firing(clock())
    store.take([told])
    clock.forward(minutes=5)
    store.reconcile("alertmanager", [])
    assert store.firing() == ()
    clock.forward(minutes=1)
    assert store.take([told]).returned == 1
    clock.forward(minutes=5)
    store.take([resolved(told, clock())])
    assert store.take([told]).returned == 1
    (alert,) = store.firing()
    assert alert.is_flapping(clock(), store.rules)


def test_two_rules_of_one_title_in_two_folders_are_two_alerts(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    one, other = (firing(clock(), source="grafana", grafana_folder=name) for name in ("Shop", "Unix"))
    store.take([one, other])
    assert {group.title for group in store.groups()} == {
        "PodsRestart in shop (folder Shop)",
        "PodsRestart in shop (folder Unix)",
    }
    clock.forward(minutes=1)
    store.take([resolved(one, clock())])
    assert [alert.labels["grafana_folder"] for alert in store.firing()] == ["Unix"]


def test_alerts_of_an_exporter_are_grouped_by_their_own_labels(database: Engine, clock: ManualClock) -> None:
    exporter = {"job": "kube-state-metrics", "pod": "ksm-0", "namespace": "monitoring", "service": "ksm"}
    store = AlertStore(database, clock)
    store.take([firing(clock(), "NodeNotReady", node=node, **exporter) for node in ("n1", "n2")])
    store.take([firing(clock(), "Stuck", exported_namespace="shop", exported_pod="web-1", **exporter)])
    assert {group.title for group in store.groups()} == {"NodeNotReady", "Stuck in shop"}


def test_a_name_that_holds_the_word_in_is_not_cut(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    store.take([firing(clock(), "Errors in checkout"), firing(clock(), "")])
    assert {group.name for group in store.groups()} == {"Errors in checkout", "unnamed alert"}


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


def test_a_storm_names_what_its_alerts_share_and_stays_until_it_ends(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    told = [firing(clock(), f"Alert{number}", node="n7", pod=str(number)) for number in range(300)]
    store.take(told)

    def storm() -> Storm | None:
        found = storm_of(store.groups(), store.firing(), clock(), store.rules)
        if found is not None:
            store.store_triage(*found.fresh)
        return found

    first = storm()
    assert first is not None
    assert first.alerts == 300
    assert ("node=n7", 300) in first.common
    clock.forward(hours=2)
    store.take([firing(clock(), "Later", pod="later")])
    later = storm()
    assert later is not None
    assert later.since == first.since
    assert later.alerts == 300, "what comes after it is told by itself"
    store.take([resolved(one, clock()) for one in told[10:]])
    assert storm() is None


def test_old_alerts_are_forgotten(database: Engine, clock: ManualClock) -> None:
    store = AlertStore(database, clock)
    told = firing(clock())
    store.take([told])
    store.take([resolved(told, clock())])
    clock.forward(days=31)
    assert store.forget_old() == 1
    assert store.list((AlertState.RESOLVED,)) == ()
