"""Serves an MCP server of our own: over standard input and output, or over HTTP at /mcp.

Over HTTP every request passes three checks first: a Host that is expected (a page in a browser cannot point its own
name at us), an Origin that is ours where a browser sends one, and the bearer token where one is set. How long heads,
bodies and connections may take is decided by whoever serves the application: see ``server/http/serving.py``.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH = "/mcp"
ALIVE_PATH = "/healthz"
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
SESSION_IDLE_SECONDS = 10 * 60.0
"""A session without a request in flight for so long ends; its client is answered 404 and begins a new one."""
MOST_SESSIONS = 128
"""Open at once, of all clients. Each holds memory and tasks until it ends, and the library's own bound is 10,000."""


async def serve_stdio(server: Server[Any, Any]) -> None:
    """Until the other side closes our standard input."""
    from mcp.server.stdio import stdio_server

    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def http_app(server: Server[Any, Any], *, token: str, hosts: Sequence[str] = ()) -> Starlette:
    """``hosts`` are names beside this machine's own by which callers reach it; an empty ``token`` asks for none."""
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def alive(_request: object) -> PlainTextResponse:
        return PlainTextResponse("alive\n")

    names = (*LOOPBACK_NAMES, *hosts)
    security = TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[form for name in names for form in (name, f"{name}:*")],
        allowed_origins=[
            form for name in names for scheme in ("http", "https") for form in _origins(f"{scheme}://{name}")
        ],
    )
    manager = StreamableHTTPSessionManager(
        server,
        security_settings=security,
        session_idle_timeout=SESSION_IDLE_SECONDS,
        max_sessions=MOST_SESSIONS,
    )

    @contextlib.asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    gate = TokenGate(manager.handle_request, token)
    return Starlette(routes=[Route(PATH, gate), Route(ALIVE_PATH, alive)], lifespan=running)


class TokenGate:
    """ASGI. Answers 401 to whoever does not show the token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        from starlette.datastructures import Headers
        from starlette.responses import JSONResponse

        scheme, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
        right = scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode("latin-1"), self._token)
        if self._token and not right:
            refusal = JSONResponse({"error": "a bearer token is needed"}, 401, {"WWW-Authenticate": "Bearer"})
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _origins(origin: str) -> tuple[str, str]:
    return origin, f"{origin}:*"
