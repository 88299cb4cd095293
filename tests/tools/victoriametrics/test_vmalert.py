"""vmalert's rules and alerts, and answers that are none."""

from __future__ import annotations

from contextlib import closing

import pytest

from tests.support.http_answers import http_answers, value
from tools.connection import Address
from tools.errors import PermanentError
from tools.victoriametrics.vmalert import ALERTS, RULES, VmalertClient

ALERT = {
    "state": "firing",
    "name": "DiskFilling",
    "value": "97",
    "labels": {"alertname": "DiskFilling", "namespace": "shop"},
    "annotations": None,
    "activeAt": "2026-11-22T10:00:00Z",
    "id": "1",
    "expression": "used > 95",
    "rule_id": "7",
}
RULE = {"id": "7", "name": "DiskFilling", "type": "alerting", "query": "used > 95", "duration": 300, "health": "ok"}


def groups(*rules: object) -> object:
    return {"status": "success", "data": {"groups": [{"name": "disks", "rules": list(rules)}]}}


def test_rules_with_their_alerts_and_health() -> None:
    broken = RULE | {"health": "err", "lastError": "no such metric", "lastEvaluation": "0001-01-01T00:00:00Z"}
    with http_answers() as server, closing(VmalertClient(Address(server.url))) as client:
        server.by_path[RULES] = value(groups(RULE | {"alerts": [ALERT]}, broken))
        good, bad = client.rules()
    assert (good.group, good.duration_seconds, good.is_broken) == ("disks", 300, False)
    assert good.alerts[0].is_firing
    assert bad.is_broken
    assert bad.last_evaluation is None


def test_alerts_and_none() -> None:
    with http_answers() as server, closing(VmalertClient(Address(server.url))) as client:
        server.by_path[ALERTS] = value({"status": "success", "data": {"alerts": [ALERT]}})
        (alert,) = client.alerts()
        assert (alert.name, alert.labels["namespace"], alert.annotations) == ("DiskFilling", "shop", {})
        server.by_path[ALERTS] = value({"status": "success", "data": {"alerts": None}})
        assert client.alerts() == ()


@pytest.mark.parametrize(
    "answer", [[], {"status": "success"}, groups("no rule"), groups(RULE | {"labels": 3}), groups(RULE | {"alerts": 3})]
)
def test_wrong_shapes_are_an_error(answer: object) -> None:
    with http_answers() as server, closing(VmalertClient(Address(server.url))) as client:
        server.by_path[RULES] = value(answer)
        with pytest.raises(PermanentError):
            client.rules()
