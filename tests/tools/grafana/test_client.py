"""Grafana's alerts, rules, annotations and links, also under a sub-path."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.http_answers import http_answers, status, value
from tools.connection import Address
from tools.errors import PermanentError
from tools.grafana.client import ALERTS, ANNOTATIONS, RULES, SEARCH, GrafanaClient

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
RULE = {"uid": "r1", "name": "Checkout errors", "state": "firing", "health": "ok", "labels": {"team": "shop"}}
BOARD = {"uid": "d1", "title": "Pods", "url": "/d/d1/pods", "folderTitle": "Kubernetes", "tags": ["k8s"]}


def test_rules_carry_their_place_and_a_link() -> None:
    group = {
        "name": "errors",
        "file": "Shop",
        "rules": [RULE, RULE | {"health": "nodata", "lastEvaluation": "0001-01-01T00:00:00Z"}],
    }
    with http_answers() as server, closing(GrafanaClient(Address(server.url, token="t"))) as client:
        server.by_path[RULES] = value({"status": "success", "data": {"groups": [group]}})
        good, blind = client.rules()
        assert server.requests[0].headers["Authorization"] == "Bearer t"
        assert good.url == f"{server.url}/alerting/grafana/r1/view"
    assert (good.folder, good.group, good.state, good.is_broken) == ("Shop", "errors", "firing", False)
    assert blind.is_broken
    assert blind.last_evaluation is None


def test_alerts_have_alertmanagers_shape() -> None:
    at = NOW.isoformat()
    alert = {"fingerprint": "f", "labels": {"alertname": "A"}, "startsAt": at, "endsAt": at, "updatedAt": at}
    with http_answers() as server, closing(GrafanaClient(Address(server.url))) as client:
        server.by_path[ALERTS] = value([alert])
        assert [one.name for one in client.alerts()] == ["A"]


def test_deployments_are_annotations_with_their_tag() -> None:
    mark = {"id": 5, "time": 1795347000000, "timeEnd": 0, "text": "v1.2", "tags": ["deployment"], "dashboardUID": None}
    with http_answers() as server, closing(GrafanaClient(Address(server.url))) as client:
        server.by_path[ANNOTATIONS] = value([mark])
        (found,) = client.deployments(NOW - timedelta(hours=1), NOW)
        assert server.requests[0].values["tags"] == "deployment"
        assert int(server.requests[0].values["to"]) == NOW.timestamp() * 1000
    assert (found.text, found.tags, found.dashboard) == ("v1.2", ("deployment",), "")


@pytest.mark.parametrize(
    ("prefix", "path"), [("", "/d/d1/pods"), ("/grafana", "/grafana/d/d1/pods"), ("/grafana", "/d/d1/pods")]
)
def test_links_are_complete(prefix: str, path: str) -> None:
    with http_answers() as server, closing(GrafanaClient(Address(server.url + prefix))) as client:
        server.by_path[prefix + SEARCH] = value([BOARD | {"url": path}])
        link = client.dashboard_link("pod", {"namespace": "shop", "pod": "a b"})
        assert link == f"{server.url}{prefix}/d/d1/pods?var-namespace=shop&var-pod=a+b"
        server.by_path[prefix + SEARCH] = value([])
        assert client.dashboard_link("node") == ""


def test_wrong_answers() -> None:
    with http_answers() as server, closing(GrafanaClient(Address(server.url))) as client:
        server.by_path |= {RULES: value({"data": {}}), ALERTS: value({}), SEARCH: value([7]), ANNOTATIONS: status(403)}
        for ask in (client.rules, client.alerts, lambda: client.annotations(NOW, NOW)):
            with pytest.raises(PermanentError):
                ask()
        assert client.dashboards() == ()
