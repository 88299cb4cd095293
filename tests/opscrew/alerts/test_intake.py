"""What webhooks may hold, and what is refused."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opscrew.alerts.alert import AlertState, fingerprint_of
from opscrew.alerts.asides import LEFT_OUT, LINK, VALUES
from opscrew.alerts.intake import Delivery, MalformedWebhookError
from opscrew.alerts.intake import read_webhook as read_at
from opscrew.alerts.kinds import AlertKind, kind_of
from opscrew.alerts.objects import subject_of
from opscrew.model.finding import Severity

NOW = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
GRAFANA = "https://grafana.example.org/grafana"


def read_webhook(source: str, content: bytes) -> Delivery:
    return read_at(source, content, NOW, GRAFANA)


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "PodsRestart", "namespace": "shop", "pod": "web-1", "severity": "page"},
        "annotations": {"summary": "web-1 restarts"},
        "startsAt": "2026-10-06T11:58:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://vmalert/g?x=1",
        "fingerprint": "0011aabb",
    } | changes


def body(*entries: Any, **extra: Any) -> bytes:
    return json.dumps({"version": "4", "alerts": list(entries)} | extra).encode()


def test_a_usual_body_is_read() -> None:
    delivery = read_webhook("alertmanager", body(entry(), truncatedAlerts=3))
    (alert,) = delivery.alerts
    assert delivery.cut == 3
    assert alert.name == "PodsRestart"
    assert alert.severity is Severity.CRITICAL
    assert alert.ends_at is None
    assert alert.starts_at.isoformat() == "2026-10-06T11:58:00.123000+00:00"
    subject = subject_of(alert, "prod")
    assert subject is not None
    assert subject.key == "kubernetes/Pod/prod/shop/web-1"


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59.999999999-23:59"])
def test_a_time_beyond_the_calendar_is_no_time(moment: str) -> None:
    with pytest.raises(MalformedWebhookError, match="startsAt"):
        read_webhook("grafana", body(entry(startsAt=moment)))
    (alert,) = read_webhook("grafana", body(entry(status="resolved", endsAt=moment))).alerts
    assert alert.ends_at is None


def test_go_writes_nine_digits_of_a_second() -> None:
    (alert,) = read_webhook("grafana", body(entry(startsAt="2026-10-06T13:58:00.739266927+02:00"))).alerts
    assert alert.starts_at.isoformat() == "2026-10-06T11:58:00.739266+00:00"


def test_an_end_has_its_time() -> None:
    ended = entry(status="resolved", endsAt="2026-10-06T12:10:00+02:00")
    (alert,) = read_webhook("grafana", body(ended)).alerts
    assert alert.state is AlertState.RESOLVED
    assert alert.ends_at is not None
    assert alert.ends_at.hour == 10


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"[]",
        b"{}",
        b'{"alerts": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
        body(None),
        body(entry(labels={})),
        body(entry(labels=[])),
        body(entry(labels={"alertname": 1})),
        body(entry(status="broken")),
        body(entry(startsAt="yesterday")),
        body(entry(startsAt="2026-10-06T12:00:00")),
        body(entry(annotations="text")),
        body(entry(status=7)),
    ],
)
def test_what_holds_no_alert_that_can_be_read_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedWebhookError):
        read_webhook("alertmanager", content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_no_json_raises_anything_else(value: Any) -> None:
    with contextlib.suppress(MalformedWebhookError):
        read_webhook("grafana", json.dumps({"alerts": [value], "truncatedAlerts": value}).encode())


def test_a_secret_in_a_label_is_not_kept() -> None:
    labels = {"alertname": "Login", "detail": "password=hunter2hunter2"}
    (alert,) = read_webhook("grafana", body(entry(labels=labels, generatorURL="javascript:alert(1)"))).alerts
    assert "hunter2hunter2" not in str(alert)
    assert alert.url == ""


def test_labels_are_bounded_and_keep_the_name() -> None:
    labels = {f"a{number:03}": "x" * 5_000 for number in range(200)} | {"alertname": "Big"}
    (alert,) = read_webhook("grafana", body(entry(labels=labels))).alerts
    assert len(alert.labels) == 40
    assert alert.name == "Big"
    assert max(map(len, alert.labels.values())) <= 200


def test_who_tells_it_does_not_change_what_it_is() -> None:
    told = {"alertname": "A", "pod": "x"}
    assert fingerprint_of(told) == fingerprint_of(told | {"prometheus_replica": "b", "alertgroup": "pods"})
    assert fingerprint_of(told) != fingerprint_of(told | {"pod": "y"})


ODD = [None, entry(labels={}), entry(labels={"alertname": 1}), entry(status=7), entry(startsAt="yesterday")]


@pytest.mark.parametrize("odd", ODD)
def test_an_alert_that_cannot_be_read_costs_itself_alone(odd: Any) -> None:
    delivery = read_webhook("alertmanager", body(odd, entry()))
    assert [alert.name for alert in delivery.alerts] == ["PodsRestart"]
    assert len(delivery.odd) == 1
    assert "alert 1" in delivery.odd[0]


@pytest.mark.parametrize("started", [None, "", "0001-01-01T00:00:00Z"])
def test_an_alert_that_does_not_say_when_it_began_began_when_it_came(started: str | None) -> None:
    (alert,) = read_webhook("alertmanager", body(entry(startsAt=started))).alerts
    assert alert.starts_at == NOW


@pytest.mark.parametrize(
    ("changes", "whole", "state"),
    [
        ({"status": None}, "firing", "firing"),
        ({"status": None}, "resolved", "resolved"),
        ({"status": None, "endsAt": "2026-10-06T11:59:00Z"}, "firing", "resolved"),
        ({"status": None, "endsAt": "2026-10-06T12:04:00Z"}, "firing", "firing"),
        ({"status": "FIRING"}, "resolved", "firing"),
        ({"status": "ok"}, "firing", "resolved"),
    ],
)
def test_a_state_that_is_not_told_follows_from_the_rest(changes: dict[str, Any], whole: str, state: str) -> None:
    (alert,) = read_webhook("alertmanager", body(entry(**changes), status=whole)).alerts
    assert alert.state.value == state


def test_private_labels_and_annotations_are_left_out() -> None:
    labels = {"alertname": "A", "__alert_rule_uid__": "x", "__grafana_receiver__": "crew"}
    annotations = {"summary": "s", "__orgId__": "1", VALUES: "B = 9", LEFT_OUT: "9", LINK: "https://bad.example.org"}
    (alert,) = read_webhook("grafana", body(entry(labels=labels, annotations=annotations))).alerts
    assert dict(alert.labels) == {"alertname": "A"}
    assert dict(alert.annotations) == {"summary": "s"}


def test_values_and_links_of_our_grafana_are_kept_and_other_links_are_not() -> None:
    panel = "https://grafana.example.org/d/a?viewPanel=2"
    (alert,) = read_webhook("grafana", body(entry(values={"B": 6.70508, "C": 1}, panelURL=panel))).alerts
    assert (alert.annotations[VALUES], alert.annotations[LINK]) == ("B = 6.705, C = 1", panel)
    written = "[ var='B' labels={host=a, path=/} type='reduce' value=6.7 ], [ var='C' labels={host=a} value=1 ]"
    for bad in (
        "https://grafana.example.org.bad.example/d/a",
        "https://x:y@grafana.example.org/d/a",
        "javascript:1",
        7,
    ):
        (alert,) = read_webhook("grafana", body(entry(values=None, valueString=written, panelURL=bad))).alerts
        assert alert.annotations[VALUES] == "B = 6.7, C = 1"
        assert LINK not in alert.annotations


def test_a_test_with_labels_of_ones_own_is_known_by_its_group_key() -> None:
    key = "crew-57c6d9296de2ad39-1758042679"
    (alert,) = read_webhook("grafana", body(entry(labels={"alertname": "Mine"}), groupKey=key)).alerts
    assert kind_of(alert.labels, alert.annotations) is AlertKind.TEST
    (alert,) = read_webhook("grafana", body(entry(labels={"alertname": "Mine"}), groupKey='{}:{a="b"}')).alerts
    assert kind_of(alert.labels, alert.annotations) is AlertKind.USUAL


def test_a_list_of_alerts_as_scripts_send_it_is_read() -> None:
    content = json.dumps([{"labels": {"alertname": "Test Alert", "host_name": "testmachine"}}]).encode()
    (alert,) = read_webhook("alertmanager", content).alerts
    assert (alert.name, alert.state, alert.starts_at) == ("Test Alert", AlertState.FIRING, NOW)
