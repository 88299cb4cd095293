"""Clients are made once, however many ask, and closed together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from crews.systems import Systems
from opscrew.clock import utc_now
from opscrew.metrics import Metrics
from opscrew.settings import Settings, UrlSettings

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
