"""Sessions of our own server: each ends, and there are never more than a few."""

from __future__ import annotations

import time

import httpx
import pytest

from demo.serving import serve
from tests.support.daemon import PATIENCE
from tests.support.own_mcp_server import own_server
from tools.mcp import serving

ACCEPTED = {"Accept": "application/json, text/event-stream"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}


def post(url: str, content: object, session: str = "") -> httpx.Response:
    headers = ACCEPTED | ({"mcp-session-id": session} if session else {})
    return httpx.post(f"{url}/mcp", json=content, headers=headers, timeout=PATIENCE, trust_env=False)


def test_an_idle_session_ends_and_its_client_may_begin_a_new_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "SESSION_IDLE_SECONDS", 0.2)
    monkeypatch.setattr(serving, "MOST_SESSIONS", 1)
    with serve(serving.http_app(own_server(), token="")) as url:
        session = post(url, HELLO).headers["mcp-session-id"]
        ends = time.monotonic() + PATIENCE
        while post(url, HELLO).status_code != 200:  # no room until the first is over
            assert time.monotonic() < ends
            time.sleep(0.1)
        assert post(url, LIST, session).status_code == 404


def test_there_are_never_more_than_a_few_and_those_that_are_there_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_SESSIONS", 3)
    with serve(serving.http_app(own_server(), token="")) as url:
        answers = [post(url, HELLO) for _ in range(5)]
        assert [one.status_code for one in answers] == [200, 200, 200, 503, 503]
        first = answers[0].headers["mcp-session-id"]
        assert post(url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, first).status_code == 202
        assert post(url, LIST, first).status_code == 200
        assert httpx.get(f"{url}/healthz", timeout=PATIENCE, trust_env=False).status_code == 200
