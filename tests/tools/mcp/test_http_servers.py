"""Servers at an address: tokens, refusals, and a session that the server has forgotten."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from demo.serving import serve
from tests.support.own_mcp_server import own_server
from tools.mcp.gateway import Gateway
from tools.mcp.servers import ServerEntry, resolve
from tools.mcp.serving import http_app

TOKEN = "right-token"
PATIENT = {"timeout_seconds": 60, "start_seconds": 60}
JSON = b"application/json"


@contextmanager
def gateway(url: str, *, token: str = TOKEN, **changes: object) -> Iterator[Gateway]:
    entry = ServerEntry.model_validate({"title": "own", "command": ["x"], "tools": {"hello": None}} | PATIENT | changes)
    with Gateway([resolve("own", entry, lambda name: None, url=url, token=token)], clean=str) as opened:
        yield opened


def test_a_server_at_an_address_is_asked_with_its_token() -> None:
    with serve(http_app(own_server(), token=TOKEN)) as url, gateway(f"{url}/mcp") as opened:
        assert opened.call("own", "hello", {}).text == "hello"
        state = opened.state("own")
        assert (state.condition, state.protocol, state.way) == ("ready", "2025-11-25", "url")


def test_a_wrong_token_is_told_at_once_and_not_shown() -> None:
    with serve(http_app(own_server(), token=TOKEN)) as url, gateway(f"{url}/mcp", token="wrong-secret") as opened:
        started = time.monotonic()
        result = opened.call("own", "hello", {})
        assert result.status == "error"
        assert "401" in result.text
        assert "wrong-secret" not in result.text
        assert time.monotonic() - started < 30, "a start may take a minute"


def test_a_server_that_restarted_is_asked_with_a_fresh_session() -> None:
    first = http_app(own_server(), token=TOKEN)
    with serve(first) as url, gateway(f"{url}/mcp") as opened:
        assert opened.call("own", "hello", {}).text == "hello"
        manager = first.routes[0].app._app.__self__  # type: ignore[attr-defined]
        manager._server_instances.clear()  # what a restart does: nobody there knows the session
        assert opened.call("own", "hello", {}).text == "hello"


def test_a_proxy_that_the_environment_names_is_not_shown_the_token(monkeypatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with serve(http_app(own_server(), token=TOKEN)) as url, gateway(f"{url}/mcp") as opened:
        assert opened.call("own", "hello", {}).text == "hello"


def test_a_start_that_cannot_be_read_is_told_at_once_and_prints_nothing(capfd) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON)]})
            await send({"type": "http.response.body", "body": b"<html>secret</html>"})

    with serve(app) as url, gateway(f"{url}/mcp", start_seconds=120) as opened:
        started = time.monotonic()
        result = opened.call("own", "hello", {})
        assert (result.status, result.text) == ("error", "own: gave an answer that is none in MCP")
        assert time.monotonic() - started < 60, "a start may take two minutes"
    assert "secret" not in "".join(capfd.readouterr())


def test_an_answer_that_cannot_be_read_is_told_at_once_and_the_next_one_is_read() -> None:
    good = http_app(own_server(), token=TOKEN)
    garbles = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        """The first two answers to a call are a proxy's page."""
        nonlocal garbles
        if scope["type"] != "http" or scope["method"] != "POST":
            return await good(scope, receive, send)
        body = await receive()
        if b"tools/call" in body["body"] and garbles < 2:
            garbles += 1
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", JSON)]})
            return await send({"type": "http.response.body", "body": b"<html>sign in</html>"})
        parts = [body]
        return await good(scope, lambda: _first(parts, receive), send)

    with serve(app) as url, gateway(f"{url}/mcp", timeout_seconds=300) as opened:
        started = time.monotonic()
        result = opened.call("own", "hello", {})
        assert (result.status, result.text) == ("error", "own: gave an answer that is none in MCP")
        assert time.monotonic() - started < 60, "a call may take five minutes"
        garbles = 2
        assert opened.call("own", "hello", {}).text == "hello"


async def _first(parts: list[Any], receive: Any) -> Any:
    return parts.pop() if parts else await receive()


@pytest.mark.parametrize("status", [404, 500, 302])
def test_an_address_that_is_no_mcp_server_is_named(status) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", b"text/html"), (b"location", b"https://login.example/")]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"<html>sign in</html>"})

    with serve(app) as url, gateway(f"{url}/mcp") as opened:
        started = time.monotonic()
        result = opened.call("own", "hello", {})
        assert result.status == "error"
        assert result.text.startswith("own: ")
        assert time.monotonic() - started < 30, "a start may take a minute"
