"""One session alone, over a transport that a test opens and closes as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from tools.errors import TemporaryError
from tools.mcp import session
from tools.mcp.servers import Server, ServerEntry, resolve
from tools.mcp.session import SupervisedSession


@asynccontextmanager
async def deaf(server: Server) -> AsyncIterator[tuple[Any, Any]]:
    """Takes messages and answers none; takes four seconds to end, as a process does that ignores signals."""
    to_session, read = anyio.create_memory_object_stream[Any](32)
    write, from_session = anyio.create_memory_object_stream[Any](32)
    try:
        yield read, write
    finally:
        with anyio.CancelScope(shield=True):
            await asyncio.sleep(4)
        for stream in (to_session, read, write, from_session):
            stream.close()


def test_the_pause_after_a_failed_start_begins_when_the_process_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "SHORTEST_PAUSE", 3.5)
    entry = ServerEntry.model_validate({"title": "deaf", "command": ["deaf"], "tools": {}, "start_seconds": 1})

    async def ask_twice() -> SupervisedSession:
        one = SupervisedSession(resolve("deaf", entry, lambda name: None), deaf)
        with pytest.raises(TemporaryError, match="not ready within 1 s"):
            await one.live()
        with pytest.raises(TemporaryError, match=r"deaf is down .*; tried again in [34] s"):
            await one.live()
        return one

    assert asyncio.run(ask_twice()).starts == 1
