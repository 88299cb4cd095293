"""How a server is reached: a process of ours, an address, or a server inside this program."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tools.mcp.bounded import bound
from tools.mcp.servers import Auth, Server
from tools.mcp.stdio import stdio_streams

if TYPE_CHECKING:
    import httpx
    from mcp.server.lowlevel import Server as OwnServer

BuiltIn = Mapping[str, Callable[[], "OwnServer[Any, Any]"]]
"""Servers of our own by name, each built when it is first used."""

CONNECT_SECONDS = 5.0
STREAM_SECONDS = 300.0

# Every failure is told in our own words; the SDK would print its own between them, with what a server sent in it.
logging.getLogger("mcp.client").setLevel(logging.CRITICAL)


class Transports:
    """Opens the right transport for a server. ``built_in`` holds our own servers."""

    def __init__(self, built_in: BuiltIn) -> None:
        self._built_in = built_in

    @asynccontextmanager
    async def connect(self, server: Server) -> AsyncIterator[tuple[Any, Any]]:
        """Yields the streams to read from and to write to."""
        if server.url:
            opened = _http_streams(server)
        elif server.entry.built_in:
            opened = _memory_streams(self._built_in[server.name]())
        else:
            opened = stdio_streams(server.name, server.command, server.environment, server.folder)
        async with opened as streams:
            yield streams


@asynccontextmanager
async def _http_streams(server: Server) -> AsyncIterator[tuple[Any, Any]]:
    import httpx
    from mcp.client.streamable_http import streamable_http_client

    timeout = httpx.Timeout(server.entry.timeout_seconds, connect=CONNECT_SECONDS, read=STREAM_SECONDS)
    async with (
        httpx.AsyncClient(
            auth=_auth(server.auth),
            timeout=timeout,
            follow_redirects=False,
            # A proxy that the environment names would read all that is not encrypted, the token first.
            trust_env=server.url.startswith("https:"),
            event_hooks={"response": [bound]},
        ) as http,
        streamable_http_client(server.url, http_client=http) as (read, write, _),
    ):
        yield read, write


@asynccontextmanager
async def _memory_streams(own: OwnServer[Any, Any]) -> AsyncIterator[tuple[Any, Any]]:
    import anyio
    from mcp.shared.memory import create_client_server_memory_streams

    async with create_client_server_memory_streams() as (ours, theirs), anyio.create_task_group() as group:
        group.start_soon(own.run, *theirs, own.create_initialization_options())
        try:
            yield ours
        finally:
            group.cancel_scope.cancel()


def _auth(auth: Auth) -> httpx.Auth | None:
    import httpx

    if auth.kind == "google":
        from tools.mcp.google_auth import GoogleAuth

        return GoogleAuth()
    if auth.kind == "basic":
        return httpx.BasicAuth(auth.user, auth.secret)
    if auth.kind == "bearer":
        from tools.mcp.bearer import BearerAuth

        return BearerAuth(auth.secret)
    return None
