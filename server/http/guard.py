"""Stands before every route: right host name, a body of decent size in decent time, the token where one is set.

Plain ASGI rather than FastAPI dependencies, so that a route added later is guarded without anybody remembering to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.bodies import Bodies, refuse, replay, too_long
from server.http.hosts import is_expected
from server.http.tokens import shows_token

LARGEST_BODY = 512 * 1024
"""Bytes. Bitbucket's webhooks stay below 256 kB."""
LARGEST_TRUSTED_BODY = 16 * 1024 * 1024
"""Bytes, from who shows the token of a path with large bodies: a storm of 10,000 alerts in one delivery."""
BODY_SECONDS = 10.0
"""A caller that takes longer to send its body is holding a connection open, not calling."""
MOST_REQUESTS = 4
"""Worked on at once: each takes a thread, and many would leave no time to the one that answers probes."""
MOST_WAITING = 64
"""Worked on or waiting for it. Beyond it callers are asked to come again."""

SAFETY_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


@dataclass(frozen=True)
class Rules:
    """``without_token`` and ``any_host`` are path prefixes. An empty ``token`` asks for none.

    ``probes`` are whole paths, which take no body and are answered however much else is going on.

    ``large_bodies`` maps path prefixes to the token that opens them for long bodies: nobody else may fill our memory.
    """

    hosts: frozenset[str]
    token: str
    without_token: tuple[str, ...] = ()
    any_host: tuple[str, ...] = ()
    probes: tuple[str, ...] = ()
    most_requests: int = MOST_REQUESTS
    large_bodies: Mapping[str, str] = field(default_factory=dict)


class Guard:
    """ASGI middleware. Answers 421, 413, 408, 401 or 503 itself; otherwise passes the request on."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules
        self._bodies = Bodies()
        self._turn = asyncio.Semaphore(rules.most_requests)
        self._begun = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _safely(send)
        limit = self._largest_body(scope)
        refusal = self._refusal(scope, limit)
        if refusal is not None:
            await refusal(scope, receive, send)
        elif scope["path"] in self._rules.probes:
            await self._app(scope, replay(b"", receive), send)
        else:
            await self._pass_on(scope, receive, send, limit)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        body = await self._bodies.take(receive, limit, BODY_SECONDS, counted=limit == LARGEST_BODY)
        if not isinstance(body, bytes):
            await (body or refuse(400, "the request ended early"))(scope, receive, send)
            return
        if self._begun >= max(MOST_WAITING, self._rules.most_requests):
            await refuse(503, "too many requests at once", {"Retry-After": "5"})(scope, receive, send)
            return
        self._begun += 1  # only now: who sends slowly takes no place from others
        try:
            async with self._turn:
                await self._app(scope, replay(body, receive), send)
        finally:
            self._begun -= 1

    def _largest_body(self, scope: Scope) -> int:
        shown = Headers(scope=scope).get("authorization", "")
        trusted = any(
            scope["path"].startswith(prefix) and shows_token(shown, token)
            for prefix, token in self._rules.large_bodies.items()
        )
        return LARGEST_TRUSTED_BODY if trusted else LARGEST_BODY

    def _refusal(self, scope: Scope, limit: int) -> PlainTextResponse | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not path.startswith(self._rules.any_host) and not is_expected(headers.get("host", ""), self._rules.hosts):
            return refuse(421, "this host name is not expected here; add it to http.hosts in crew.yaml")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > limit:
            return too_long(limit)
        shown = headers.get("authorization", "")
        guarded = bool(self._rules.token) and not path.startswith(self._rules.without_token)
        if guarded and not shows_token(shown, self._rules.token):
            return refuse(401, "a token is needed", {"WWW-Authenticate": 'Basic realm="crew (any name, the token)"'})
        return None


def _safely(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            extra = [(name, value) for name, value in SAFETY_HEADERS.items() if name not in present]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return with_headers
