"""Takes in the body of a request: in decent time, up to a size, and all of them together within a bound.

Bodies that are on their way are held in memory. When they pass the bound together, the one that takes longest is given
up: it is held open by somebody who sends slowly, while the newest may be a webhook that is about to be complete.
"""

from __future__ import annotations

import asyncio

import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive

log = structlog.get_logger(__name__)

MOST_HELD = 4 * 1024 * 1024
"""Bytes of all unfinished bodies of callers that have shown no token for long ones."""


class Bodies:
    """Of one server. Used in its event loop only."""

    def __init__(self) -> None:
        self._held: dict[asyncio.Timeout, int] = {}

    async def take(
        self, receive: Receive, limit: int, seconds: float, *, counted: bool
    ) -> bytes | PlainTextResponse | None:
        """The body; a refusal when it is too long or too slow; None when the caller went away."""
        found = bytearray()
        deadline = asyncio.timeout(seconds)
        try:
            async with deadline:
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return None
                    found += message.get("body", b"")
                    if len(found) > limit:
                        return too_long(limit)
                    if not message.get("more_body", False):
                        return bytes(found)
                    if counted:
                        self._hold(deadline, len(found))
        except TimeoutError:
            return refuse(408, f"the body took longer than {seconds:.0f} s, or others needed its room")
        finally:
            self._held.pop(deadline, None)

    def _hold(self, deadline: asyncio.Timeout, size: int) -> None:
        self._held[deadline] = size
        if sum(self._held.values()) > MOST_HELD:
            oldest = next(iter(self._held))
            del self._held[oldest]
            oldest.reschedule(asyncio.get_running_loop().time())


def replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more; later messages are the caller going away."""
    told = False

    async def again() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def too_long(limit: int) -> PlainTextResponse:
    """The refusal of a body that is, or says that it is, longer than allowed."""
    log.warning("a body was refused: it is too long", most_bytes=limit)
    return refuse(413, f"a body may have at most {limit} bytes")


def refuse(status: int, why: str, headers: dict[str, str] | None = None) -> PlainTextResponse:
    """An answer that ends the connection: the rest of an unread body must not be taken for the next request."""
    return PlainTextResponse(why + "\n", status, {"Connection": "close", **(headers or {})})
