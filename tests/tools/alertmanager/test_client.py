"""Alertmanager's alerts and silences, and answers that are none."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.http_answers import http_answers, status, value
from tools.alertmanager.client import ALERTS, SILENCES, AlertmanagerClient
from tools.connection import Address
from tools.errors import PermanentError, TemporaryError

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALERT = {
    "fingerprint": "9b38",
    "labels": {"alertname": "DiskFilling", "namespace": "shop"},
    "annotations": {"summary": "soon full"},
    "startsAt": "2026-11-22T10:00:00Z",
    "endsAt": "2026-11-22T12:05:00Z",
    "updatedAt": "2026-11-22T12:00:00Z",
    "generatorURL": "http://vmalert/1",
    "receivers": [{"name": "team"}],
    "status": {"state": "suppressed", "silencedBy": ["s1"], "inhibitedBy": None},
}
SILENCE = {
    "id": "s1",
    "matchers": [{"name": "alertname", "value": "Disk.*", "isRegex": True, "isEqual": True}],
    "startsAt": "2026-11-22T10:00:00Z",
    "endsAt": "2026-11-22T14:00:00Z",
    "createdBy": "ann",
    "comment": "moving it",
    "status": {"state": "active"},
}


def test_alerts() -> None:
    with http_answers() as server, closing(AlertmanagerClient(Address(server.url))) as client:
        server.by_path[ALERTS] = value([ALERT])
        (alert,) = client.alerts(suppressed=False)
        assert server.requests[0].values == {"silenced": "false", "inhibited": "false"}
    assert (alert.name, alert.is_suppressed, alert.is_silenced) == ("DiskFilling", True, True)
    assert alert.starts_at == NOW - timedelta(hours=2)


def test_silences_leave_out_those_that_are_over() -> None:
    with http_answers() as server, closing(AlertmanagerClient(Address(server.url))) as client:
        server.by_path[SILENCES] = value([SILENCE, SILENCE | {"id": "s0", "status": {"state": "expired"}}])
        assert [one.id for one in client.silences()] == ["s1"]
        assert [one.id for one in client.silences(expired=True)] == ["s1", "s0"]
        assert str(client.silences()[0].matchers[0]) == 'alertname=~"Disk.*"'


def test_a_silence_names_every_label_and_is_sent_once() -> None:
    with http_answers() as server, closing(AlertmanagerClient(Address(server.url, user="a", password="b"))) as client:
        server.by_path[SILENCES] = value({"silenceID": "s2"})
        until = NOW + timedelta(hours=1)
        assert client.silence({"alertname": "X"}, NOW, until, created_by="crew", comment="why") == "s2"
        body = json.loads(server.requests[0].body)
        assert body["matchers"] == [{"name": "alertname", "value": "X", "isRegex": False, "isEqual": True}]
        assert server.requests[0].headers["Authorization"].startswith("Basic ")
        with pytest.raises(ValueError, match="everything"):
            client.silence({}, NOW, until, created_by="crew", comment="why")
        server.by_path[SILENCES] = status(500, "full")
        with pytest.raises(TemporaryError):
            client.silence({"alertname": "X"}, NOW, until, created_by="crew", comment="why")
    assert len(server.requests) == 2


@pytest.mark.parametrize("answer", [{}, [1], [ALERT | {"startsAt": "soon"}], [ALERT | {"labels": "x"}]])
def test_wrong_shapes_are_an_error(answer: object) -> None:
    with http_answers() as server, closing(AlertmanagerClient(Address(server.url))) as client:
        server.by_path[ALERTS] = value(answer)
        with pytest.raises(PermanentError):
            client.alerts()
