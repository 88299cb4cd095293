"""What webhooks may hold, and what is refused."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opscrew.alerts.alert import AlertState, fingerprint_of, subject_of
from opscrew.alerts.intake import MalformedWebhookError, read_webhook
from opscrew.model.finding import Severity


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
    subject = subject_of(alert.labels, "prod")
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
        body(entry(status=None)),
        body(entry(startsAt="yesterday")),
        body(entry(startsAt="0001-01-01T00:00:00Z")),
        body(entry(startsAt="2026-10-06T12:00:00")),
        body(entry(annotations="text")),
        body(entry(), entry(status=7)),
    ],
)
def test_nonsense_is_refused_whole(content: bytes) -> None:
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
