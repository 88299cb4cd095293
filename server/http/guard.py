"""Stands before every route: right host name, a body of decent size in decent time, the token where one is set.

Plain ASGI rather than FastAPI dependencies, so that a route added later is guarded without anybody remembering to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.hosts import is_expected
from server.http.tokens import shows_token

log = structlog.get_logger(__name__)

LARGEST_BODY = 512 * 1024
"""Bytes. Bitbucket's webhooks stay below 256 kB."""
LARGEST_TRUSTED_BODY = 16 * 1024 * 1024
"""Bytes, from who shows the token of a path with large bodies: a storm of 10,000 alerts in one delivery."""
BODY_SECONDS = 10.0
"""A caller that takes longer to send its body is holding a connection open, not calling."""

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

    ``large_bodies`` maps path prefixes to the token that opens them for long bodies: nobody else may fill our memory.
    """

    hosts: frozenset[str]
    token: str
    without_token: tuple[str, ...] = ()
    any_host: tuple[str, ...] = ()
    large_bodies: Mapping[str, str] = field(default_factory=dict)


class Guard:
    """ASGI middleware. Answers 421, 413, 408 or 401 itself; otherwise passes the request on."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._largest_body(scope)
        refusal = self._refusal(scope, limit)
        body = None if refusal else await _whole_body(receive, limit)
        if isinstance(body, PlainTextResponse):
            refusal = body
        if refusal is not None or not isinstance(body, bytes):
            await (refusal or _refuse(400, "the request ended early"))(scope, receive, _safely(send))
            return
        await self._app(scope, _replay(body, receive), _safely(send))

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
            return _refuse(421, "this host name is not expected here; add it to http.hosts in crew.yaml")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > limit:
            return _too_long(limit)
        shown = headers.get("authorization", "")
        guarded = bool(self._rules.token) and not path.startswith(self._rules.without_token)
        if guarded and not shows_token(shown, self._rules.token):
            return _refuse(401, "a token is needed", {"WWW-Authenticate": 'Basic realm="crew (any name, the token)"'})
        return None


async def _whole_body(receive: Receive, limit: int) -> bytes | PlainTextResponse | None:
    """The body; a refusal when it is too long or too slow; None when the caller went away."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                found += message.get("body", b"")
                if len(found) > limit:
                    return _too_long(limit)
                if not message.get("more_body", False):
                    return bytes(found)
    except TimeoutError:
        return _refuse(408, f"the body took longer than {BODY_SECONDS:.0f} s")


def _replay(body: bytes, receive: Receive) -> Receive:
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()  # later messages: the caller going away
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _safely(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            present = {name for name, _ in message["headers"]}
            extra = [(name, value) for name, value in SAFETY_HEADERS.items() if name not in present]
            message = {**message, "headers": [*message["headers"], *extra]}
        await send(message)

    return with_headers


def _too_long(limit: int) -> PlainTextResponse:
    log.warning("a body was refused: it is too long", most_bytes=limit)
    return _refuse(413, f"a body may have at most {limit} bytes")


def _refuse(status: int, why: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    # The rest of an unread body must not be taken for the next request.
    return PlainTextResponse(why + "\n", status, {"Connection": "close", **(headers or {})})
