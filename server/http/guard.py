"""Stands before every route: right host name, a body of decent size in decent time, the token where one is set.

Plain ASGI rather than FastAPI dependencies, so that a route added later is guarded without anybody remembering to.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.http.hosts import is_expected

LARGEST_BODY = 512 * 1024
"""Bytes. Bitbucket's webhooks stay below 256 kB."""
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
    """``without_token`` and ``any_host`` are path prefixes. An empty ``token`` asks for none."""

    hosts: frozenset[str]
    token: str
    without_token: tuple[str, ...] = ()
    any_host: tuple[str, ...] = ()


class Guard:
    """ASGI middleware. Answers 421, 413, 408 or 401 itself; otherwise passes the request on."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        body = None if refusal else await _whole_body(receive)
        if isinstance(body, PlainTextResponse):
            refusal = body
        if refusal is not None or not isinstance(body, bytes):
            await (refusal or _refuse(400, "the request ended early"))(scope, receive, _safely(send))
            return
        await self._app(scope, _replay(body, receive), _safely(send))

    def _refusal(self, scope: Scope) -> PlainTextResponse | None:
        headers, path = Headers(scope=scope), scope["path"]
        if not path.startswith(self._rules.any_host) and not is_expected(headers.get("host", ""), self._rules.hosts):
            return _refuse(421, "this host name is not expected here; add it to http.hosts in crew.yaml")
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            return _refuse(413, f"a body may have at most {LARGEST_BODY} bytes")
        if self._rules.token and not path.startswith(self._rules.without_token) and not self._shows_token(headers):
            return _refuse(401, "a token is needed", {"WWW-Authenticate": 'Basic realm="crew (any name, the token)"'})
        return None

    def _shows_token(self, headers: Headers) -> bool:
        """Bearer for programs; Basic with the token as password for browsers, which cannot send Bearer."""
        scheme, _, value = headers.get("authorization", "").partition(" ")
        shown = value.strip().encode("latin-1")  # as it came: headers are bytes, whatever a token is made of
        if scheme.lower() == "basic":
            try:
                shown = base64.b64decode(shown, validate=True).partition(b":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(shown, self._rules.token.encode())


async def _whole_body(receive: Receive) -> bytes | PlainTextResponse | None:
    """The body; a refusal when it is too long or too slow; None when the caller went away."""
    found = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                found += message.get("body", b"")
                if len(found) > LARGEST_BODY:
                    return _refuse(413, f"a body may have at most {LARGEST_BODY} bytes")
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


def _refuse(status: int, why: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    # The rest of an unread body must not be taken for the next request.
    return PlainTextResponse(why + "\n", status, {"Connection": "close", **(headers or {})})
