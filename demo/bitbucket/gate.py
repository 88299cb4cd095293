"""Who may ask, and how often: access tokens with scopes, and the rolling hour of requests with its headers."""

from __future__ import annotations

import base64
import binascii
import json
from collections import defaultdict, deque
from datetime import datetime, timedelta
from typing import Any

from demo.bitbucket.world import World

WINDOW = timedelta(hours=1)
LIMITED = "Rate limit for this resource has been exceeded"


class Gate:
    """ASGI middleware. Sandbox control and the log store (paths that begin with /_) are outside of it."""

    def __init__(self, app: Any, world: World) -> None:
        self._app = app
        self._world = world
        self._asked: dict[str, deque[datetime]] = defaultdict(deque)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_"):
            await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        token = _token(headers.get("authorization", ""))
        scopes = self._world.tokens.get(token)
        if scopes is None:
            words = "Token is invalid, expired, or not supported for this endpoint." if token else "No credentials"
            await _refuse(send, 401, {"message": words})
            return
        allowance, retry_after = self._count(token)
        allowance["X-OAuth-Scopes"] = ", ".join(sorted(scopes))
        if retry_after:
            told = {"Retry-After": str(retry_after)} | allowance if self._world.limits_tell_how_long else {}
            await _refuse_in_plain_text(send, 429, LIMITED, told)
            return
        needed = _scope_needed(scope["method"], scope["path"])
        if needed not in scopes:
            words = "Your credentials lack one or more required privilege scopes."
            detail = {"required": [needed], "granted": sorted(scopes)}
            await _refuse(send, 403, {"message": words, "detail": detail}, allowance)
            return

        async def send_with_allowance(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_encoded(allowance)]
            await send(message)

        await self._app(scope, receive, send_with_allowance)

    def _count(self, token: str) -> tuple[dict[str, str], int]:
        """The rate-limit headers, and the seconds to wait when the hour is used up (else 0)."""
        now = self._world.clock()
        asked = self._asked[token]
        while asked and asked[0] <= now - WINDOW:
            asked.popleft()
        limit = self._world.requests_per_hour
        if len(asked) >= limit:
            wait = max(1, int((asked[0] + WINDOW - now).total_seconds()) + 1)
        else:
            asked.append(now)
            wait = 0
        left = limit - len(asked)
        reset = asked[0] + WINDOW if asked else now
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": str(int(reset.timestamp()) + 1),
            "X-RateLimit-Resource": "api-repositories",
            "X-RateLimit-NearLimit": "true" if left < limit * 0.2 else "false",
        }, wait


def _token(header: str) -> str:
    kind, _, value = header.partition(" ")
    if kind.lower() == "bearer":
        return value.strip()
    if kind.lower() == "basic":
        try:
            return base64.b64decode(value).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""


def _scope_needed(method: str, path: str) -> str:
    if "pullrequests" in path:
        return "pullrequest"
    if "pipelines-config/runners" in path:
        return "runner"
    if "/pipelines" in path:
        return "pipeline:write" if method == "POST" else "pipeline"
    return "repository"


async def _refuse(send: Any, status: int, error: dict[str, Any], headers: dict[str, str] | None = None) -> None:
    body = json.dumps({"type": "error", "error": error}).encode()
    pairs = [*_encoded(headers or {}), (b"content-type", b"application/json")]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


async def _refuse_in_plain_text(send: Any, status: int, words: str, headers: dict[str, str]) -> None:
    """As the proxy before the API answers, which knows of no error form."""
    body = words.encode()
    pairs = [*_encoded(headers), (b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
