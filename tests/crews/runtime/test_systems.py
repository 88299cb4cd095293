"""Clients are made once, however many ask, and closed together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from crews.runtime.systems import Systems
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.settings import Settings, UrlSettings
from tests.support.http_answers import http_answers, text, value
from tools.victorialogs.client import PATH, Period
from tools.victoriametrics.client import QUERY

NAMES = ("bitbucket", "victoriametrics", "victorialogs", "vmalert", "alertmanager", "grafana")
CROWD = 8


@pytest.mark.parametrize("name", NAMES)
def test_who_asks_at_once_gets_the_same_client(name: str) -> None:
    """Two clients of Bitbucket would each think that they have the whole hour's budget."""
    part = {"workspace": "acme"} if name == "bitbucket" else {"url": "http://127.0.0.1:1"}
    start = Barrier(CROWD)

    def ask(systems: Systems) -> object:
        start.wait(60)
        return getattr(systems, name)

    settings = Settings.model_validate({name: part})
    with Systems(settings, utc_now, Metrics()) as systems, ThreadPoolExecutor(CROWD) as pool:
        found = list(pool.map(ask, [systems] * CROWD))
    assert len(set(map(id, found))) == 1


def test_closing_it_closes_the_clients() -> None:
    with Systems(Settings(alertmanager=UrlSettings(url="http://127.0.0.1:1")), utc_now, Metrics()) as systems:
        client = systems.alertmanager
    assert client is not None
    with pytest.raises(RuntimeError, match="closed"):
        client.alerts()


def test_what_is_not_configured_is_none() -> None:
    with Systems(Settings(), utc_now, Metrics()) as systems:
        assert [getattr(systems, name) for name in NAMES] == [None] * len(NAMES)
        assert systems.kubernetes("prod") is None


def test_a_store_is_asked_with_its_tenant_and_headers_and_a_cluster_at_its_own() -> None:
    clusters = ({"name": "prod"}, {"name": "stage", "victoriametrics": {"tenant": "12:3"}})
    with http_answers() as store:
        answer = value({"status": "success", "data": {"resultType": "vector", "result": []}})
        store.by_path |= {QUERY: answer, f"/select/12:3/prometheus{QUERY}": answer, PATH: text("")}
        settings = Settings.model_validate(
            {
                "kubernetes": clusters,
                "victoriametrics": {"url": store.url, "headers": {"X-Scope-OrgID": "us"}},
                "victorialogs": {"url": store.url, "tenant": "7", "secret_headers": {"X-Api-Key": "sesame"}},
            }
        )
        with Systems(settings, utc_now, Metrics()) as systems:
            assert systems.metrics_of("prod") is systems.victoriametrics
            assert systems.metrics_of("stage") is systems.metrics_of("stage") is not systems.victoriametrics
            for client in (systems.victoriametrics, systems.metrics_of("stage")):
                assert client is not None
                assert client.instant("1").samples == ()
            assert systems.victorialogs is not None
            systems.victorialogs.count("*", Period(utc_now(), utc_now()))
    common, own, logs = store.requests
    assert (common.path, own.path) == (QUERY, f"/select/12:3/prometheus{QUERY}")
    assert common.headers["X-Scope-OrgID"] == own.headers["X-Scope-OrgID"] == "us"
    assert (logs.headers["AccountID"], logs.headers["ProjectID"], logs.headers["X-Api-Key"]) == ("7", "0", "sesame")
