"""A served Bitbucket sandbox with its client, and a server that answers what a test tells it to."""

from __future__ import annotations

import atexit
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from demo.bitbucket import World, create_app
from demo.bitbucket.world import TOKEN
from demo.clock import FastClock
from demo.serving import serve
from tools.bitbucket.client import BitbucketClient

START = datetime(2026, 10, 6, 12, 0, tzinfo=UTC)
CERTIFICATES = ssl.create_default_context()
"""Read once for all tests: it takes longer than most of them."""
PATIENCE = 60
"""Seconds. The sandbox answers within milliseconds; a busy machine must not make that a fault of Bitbucket's."""


def http_client(timeout_seconds: float = PATIENCE) -> httpx.Client:
    """What the client makes for itself, without reading the certificates anew."""
    return httpx.Client(timeout=timeout_seconds, verify=CERTIFICATES)


@dataclass
class Sandbox:
    """``outcomes`` collects the client's words per request; ``pauses`` what it would have slept."""

    world: World
    clock: FastClock
    url: str
    outcomes: list[str] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def client(self, **changes: Any) -> BitbucketClient:
        """A client that does not sleep but lets the sandbox's clock run on instead."""

        def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            self.clock.forward(seconds=seconds)

        settings: dict[str, Any] = {
            "token": TOKEN,
            "clock": self.clock,
            "sleep": sleep,
            "on_response": self.outcomes.append,
            "timeout_seconds": PATIENCE,
        } | changes
        settings.setdefault("http", http_client(settings["timeout_seconds"]))
        workspace = settings.pop("workspace", "acme")
        return BitbucketClient(self.url + "/2.0", workspace, **settings)


@contextmanager
def sandbox(**world_settings: Any) -> Iterator[Sandbox]:
    """Time stands still until the test moves it."""
    clock = FastClock(START, speed=0)
    world = World(clock, **world_settings)
    with served(create_app(world)) as url:
        yield Sandbox(world, clock, url)


class _Switch:
    """An application that hands on to the one of the current test."""

    current: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.current(scope, receive, send)


_switch = _Switch()
_running = ExitStack()
_url = ""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """One server per test process, since starting and stopping takes longer than most tests; nested ones are apart."""
    global _url
    if _switch.current is not None:
        with serve(app) as url:
            yield url
        return
    if not _url:
        _url = _running.enter_context(serve(_switch))
        atexit.register(_running.close)
    _switch.current = app
    try:
        yield _url
    finally:
        _switch.current = None


Reply = tuple[int, dict[str, str], bytes]


@dataclass
class Scripted:
    """``requests`` are (method, path with query, headers) as they arrived."""

    url: str
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def scripted(reply: Callable[[str, dict[str, str]], Reply]) -> Iterator[Scripted]:
    """A real server whose answer to each path is made by ``reply(path, headers)``."""
    server = Scripted("")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        path = scope["path"] + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        server.requests.append((scope["method"], path, headers))
        status, given, body = reply(path, headers)
        pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in given.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    with served(app) as url:
        server.url = url
        yield server


def as_json(data: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON reply; ``X_RateLimit_Limit="9"`` becomes the header X-RateLimit-Limit."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"content-type": "application/json", **named}, json.dumps(data).encode()
