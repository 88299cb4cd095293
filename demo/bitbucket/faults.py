"""Trouble on demand: what a network, a proxy and a busy Bitbucket do to a client.

Switched on from code (``world.faults.add(...)``) or over HTTP (``POST /_sandbox/faults``). A fault applies to the next
``times`` requests whose method and path match.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal[
    "limited",  # 429 as plain text, without Retry-After as recorded; with one where ``seconds`` are given
    "broken",  # 500 from inside of Bitbucket, outside of its error form
    "refused",  # an answer of ``status`` in the error form, with ``words``
    "error",  # an answer of ``status``, with an HTML page as load balancers send
    "slow",  # the right answer, a few bytes at a time, over ``seconds``
    "hang",  # nothing for ``seconds``, then the connection ends
    "truncated",  # the right head, half of the body, then the connection ends
    "wrong_json",  # 200 and JSON that stops in the middle
    "odd_json",  # 200 and valid JSON of another shape
    "html",  # 200 and a login page
    "drop_before",  # the connection ends before the request took effect
    "drop_after",  # the request takes effect, then the connection ends without an answer
    "late",  # no answer as in "hang"; the request takes effect ``accepted_after``, and is listed ``listed_after`` that
    "ignore_range",  # the whole log whatever range was asked
    "no_suffix_range",  # 416 for "the last n bytes", as some stores answer
    "redirect_log",  # the log lies in a store on another host, which refuses foreign credentials
]

BROKEN = {
    "message": "retrofit2.adapter.rxjava.HttpException: HTTP 500 Internal Server Error "
    "(command RESULT_SERVICE_POST_PIPELINE, error key='Internal Server Error')",
    "arguments": {"spanId": "df56828a4b0d7195", "traceId": "df56828a4b0d7195"},
    "key": "Internal Server Error",
}
"""What comes back, as it is, where Bitbucket itself breaks."""


class Fault(BaseModel):
    """``path`` is a part of the path, "" for any; ``times`` counts down, -1 for ever.

    ``seconds`` pass on the real clock, ``accepted_after`` and ``listed_after`` on the sandbox's.
    """

    model_config = ConfigDict(extra="forbid")

    kind: Kind
    method: str = ""
    path: str = ""
    times: int = Field(default=1, ge=-1)
    seconds: float = 0
    status: int = Field(default=500, ge=400, le=599)
    words: str = "Not found"
    accepted_after: float = Field(default=75, ge=0)
    listed_after: float = Field(default=90, ge=0)


@dataclass(frozen=True)
class Delayed:
    """A request that was received and whose effect comes later."""

    due: datetime
    listed_at: datetime
    scope: dict[str, Any]
    body: bytes


class Faults:
    """The faults that wait for their request, and what they still have to do."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()
        self.delayed: list[Delayed] = []
        self._listed_at: dict[str, datetime] = {}

    def hides(self, uuid: str, now: datetime) -> bool:
        """Whether a pipeline is there and no list shows it yet."""
        return uuid in self._listed_at and now < self._listed_at[uuid]

    def hide(self, uuid: str, until: datetime) -> None:
        """No list shows this pipeline before that time."""
        self._listed_at[uuid] = until

    def due(self, now: datetime) -> list[Delayed]:
        """Delayed requests whose time has come; each is handed out once."""
        with self._lock:
            ready = [one for one in self.delayed if one.due <= now]
            self.delayed = [one for one in self.delayed if one.due > now]
        return ready

    def add(self, kind: Kind, **details: Any) -> None:
        """``add("limited", path="/pipelines", seconds=2)``"""
        with self._lock:
            self._waiting.append(Fault(kind=kind, **details))

    def clear(self) -> None:
        """Everything works again."""
        with self._lock:
            self._waiting.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """The first that matches, counted down."""
        with self._lock:
            for fault in self._waiting:
                if fault.method in ("", method) and fault.path in path:
                    if fault.times > 0:
                        fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
            return None


class FaultyNetwork:
    """ASGI middleware, the outermost: what stands between the client and Bitbucket."""

    def __init__(self, app: Any, faults: Faults, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        for request in self._faults.due(self._clock()):
            await self._take_effect(request)
        fault = None
        if scope["type"] == "http" and not scope["path"].startswith("/_"):
            fault = self._faults.take(scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        scope["sandbox.fault"] = fault.kind
        if fault.kind in ("ignore_range", "no_suffix_range", "redirect_log"):
            await self._app(scope, receive, send)  # the log's own route looks at the fault
        elif fault.kind in ("drop_before", "hang", "late"):
            if fault.kind == "late" and scope["method"] == "POST":
                await self._delay(fault, scope, receive)
            await asyncio.sleep(fault.seconds)
            scope["sandbox.transport"].abort()
        elif fault.kind in ("slow", "truncated", "drop_after"):
            await self._spoil(fault, scope, receive, send)
        else:
            await _answer(send, *_prepared(fault))

    async def _delay(self, fault: Fault, scope: Any, receive: Any) -> None:
        """Keeps the request for later, whatever becomes of its connection."""
        due = self._clock() + timedelta(seconds=fault.accepted_after)
        listed_at = due + timedelta(seconds=fault.listed_after)
        body = (await receive()).get("body", b"")
        self._faults.delayed.append(Delayed(due, listed_at, dict(scope), body))

    async def _take_effect(self, request: Delayed) -> None:
        answer = bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": request.body, "more_body": False}

        async def keep(message: Any) -> None:
            answer.extend(message.get("body", b""))

        await self._app(request.scope, receive, keep)
        started = json.loads(answer).get("uuid")
        if started:
            self._faults.hide(started, request.listed_at)

    async def _spoil(self, fault: Fault, scope: Any, receive: Any, send: Any) -> None:
        """Lets the request take effect, then treats its answer badly."""
        head: dict[str, Any] = {}
        body = bytearray()

        async def keep(message: Any) -> None:
            if message["type"] == "http.response.start":
                head.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, keep)
        if fault.kind == "drop_after":
            scope["sandbox.transport"].abort()
            return
        await send(head)
        if fault.kind == "truncated":
            await send({"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": True})
            await asyncio.sleep(0.05)  # let the half leave before the connection is cut
            scope["sandbox.transport"].abort()
            return
        parts = 20
        size = max(1, len(body) // parts)
        for start in range(0, len(body), size):
            await asyncio.sleep(fault.seconds / parts)
            await send({"type": "http.response.body", "body": bytes(body[start : start + size]), "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def _prepared(fault: Fault) -> tuple[int, bytes, dict[str, str]]:
    if fault.kind == "limited":
        waiting = {"Retry-After": f"{fault.seconds:g}"} if fault.seconds > 0 else {}
        return 429, b"Rate limit for this resource has been exceeded", {"content-type": "text/plain", **waiting}
    if fault.kind == "broken":
        return 500, json.dumps(BROKEN).encode(), {"content-type": "application/json"}
    if fault.kind == "refused":
        body = {"type": "error", "error": {"message": fault.words}}
        return fault.status, json.dumps(body).encode(), {"content-type": "application/json"}
    if fault.kind == "error":
        return fault.status, b"<html><body><h1>Something went wrong</h1></body></html>", {"content-type": "text/html"}
    if fault.kind == "html":
        return 200, b"<!doctype html><title>Log in</title>", {"content-type": "text/html"}
    if fault.kind == "odd_json":
        return 200, b'["something", {"else": null}]', {"content-type": "application/json"}
    return 200, b'{"values": [{"uuid": "{1', {"content-type": "application/json"}


async def _answer(send: Any, status: int, body: bytes, headers: dict[str, str]) -> None:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
