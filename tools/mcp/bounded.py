"""A limit for what a server at an address may send at once, since the SDK gathers an answer in memory until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

LONGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes of one message, as for a server that is a process. Nobody could use a longer answer."""


async def bound(response: httpx.Response) -> None:
    """For httpx's hook: an answer breaks off at the limit. A stream of events may go on for days, its lines may not."""
    streams = response.headers.get("content-type", "").startswith("text/event-stream")
    if isinstance(response.stream, httpx.AsyncByteStream):
        response.stream = _Bounded(response.stream, by_line=streams)


class _Bounded(httpx.AsyncByteStream):
    """Another stream, until it has sent too much."""

    def __init__(self, stream: httpx.AsyncByteStream, *, by_line: bool) -> None:
        self._stream = stream
        self._by_line = by_line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for piece in self._stream:
            _, line_feed, rest = piece.rpartition(b"\n")
            size = len(rest) if self._by_line and line_feed else size + len(piece)
            if size > LONGEST_MESSAGE:
                raise httpx.ReadError(f"sent more than {LONGEST_MESSAGE} bytes at once")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
