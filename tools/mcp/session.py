"""One server's session: opened on first use, kept, watched, and opened again with growing pauses after trouble.

Everything here runs on the gateway's own event loop. A session is entered and left by one task, since the SDK's task
groups demand it; calls are tasks of their own, so one that is given up harms neither the session nor the others.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.mcp.servers import Server

if TYPE_CHECKING:
    from mcp import ClientSession
    from mcp.types import CallToolResult, Tool

SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds between two attempts to start; doubled each time. A server that is down costs a moment a minute."""
PING_SECONDS = 3.0
CLOSE_SECONDS = 8.0
MOST_PAGES = 20
NO_MESSAGE = "gave an answer that is none in MCP"

Connect = Callable[[Server], AbstractAsyncContextManager[tuple[Any, Any]]]
"""Opens the transport and yields the streams to read from and to write to."""


@dataclass
class Live:
    """A session that was opened. ``doubtful`` means that a call got no answer in time; ``garbled`` is set when the
    server sent what is no message, which may have been the answer to any call that waits."""

    session: ClientSession
    tools: tuple[Tool, ...]
    protocol: str
    version: str
    owner: asyncio.Task[None]
    stop: asyncio.Event
    garbled: asyncio.Event
    doubtful: bool = False


class SupervisedSession:
    """Of one server. Raises only ``TemporaryError`` and ``PermanentError``."""

    def __init__(self, server: Server, connect: Connect) -> None:
        self._server = server
        self._connect = connect
        self._live: Live | None = None
        self._starting: asyncio.Task[Live] | None = None
        self._pause = SHORTEST_PAUSE
        self._not_before = 0.0
        self._trouble = ""
        self._closed = False
        self.starts = 0

    async def live(self) -> Live:
        """The session, opened if need be. Callers that give up waiting do not stop the start."""
        if self._live is not None and await self._still_answers(self._live):
            return self._live
        if self._closed:  # asked here, since looking whether it answers takes time
            raise TemporaryError("the gateway was closed", system="mcp")
        if self._starting is None:
            wait = self._not_before - asyncio.get_running_loop().time()
            if wait > 0:
                raise TemporaryError(
                    f"{self._server.name} is down ({self._trouble}); tried again in {wait:.0f} s", system="mcp"
                )
            self._starting = asyncio.create_task(self._start())
            self._starting.add_done_callback(_look_at)
        return await asyncio.shield(self._starting)

    async def call(self, tool: str, arguments: dict[str, Any], *, may_repeat: bool) -> CallToolResult:
        """One call. A session that turns out to be dead is opened anew and asked again, when ``may_repeat``.

        A call that may not be repeated asks first whether the server still answers.
        """
        live = await self.live()
        if not may_repeat:
            live.doubtful = True
            live = await self.live()
        try:
            return await self._ask(live, tool, arguments)
        except TemporaryError:
            if not may_repeat or not live.owner.done():
                raise
        return await self._ask(await self.live(), tool, arguments)

    async def close(self) -> None:
        """Ends the session and its process, for good."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting}, timeout=CLOSE_SECONDS)
        if self._live is not None:
            await _stop(self._live)
            self._live = None

    async def _start(self) -> Live:
        loop = asyncio.get_running_loop()
        opened: asyncio.Future[tuple[ClientSession, tuple[Tool, ...], str, str]] = loop.create_future()
        stop, garbled = asyncio.Event(), asyncio.Event()
        owner = asyncio.create_task(self._own(opened, stop, garbled), name=f"mcp {self._server.name}")
        self.starts += 1
        waiting: set[asyncio.Future[Any]] = {opened, owner}
        try:
            seconds = self._server.entry.start_seconds
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if not opened.done():
                raise _why(owner) if owner.done() else TemporaryError(f"not ready within {seconds:.0f} s", system="mcp")
            self._live = Live(*opened.result(), owner=owner, stop=stop, garbled=garbled)
            self._pause = SHORTEST_PAUSE
            return self._live
        except UpstreamError as problem:
            await _cancel(owner)  # before the pause begins, since a deaf process takes its time to end
            self._trouble = problem.message
            self._not_before = loop.time() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            raise
        finally:
            if not opened.done():
                await _cancel(owner)
            self._starting = None

    async def _own(self, opened: asyncio.Future[Any], stop: asyncio.Event, garbled: asyncio.Event) -> None:
        from mcp import ClientSession
        from mcp.types import Implementation

        async def hear(message: object) -> None:
            if isinstance(message, Exception):
                garbled.set()
                if not opened.done():
                    opened.set_exception(TemporaryError(NO_MESSAGE, system="mcp"))

        async with self._connect(self._server) as (read, write):
            me = Implementation(name="opscrew", version="0.1.0")
            async with ClientSession(read, write, client_info=me, message_handler=hear) as session:
                hello = await session.initialize()
                tools = await _all_tools(session)
                if opened.done():
                    return
                opened.set_result((session, tools, str(hello.protocolVersion), hello.serverInfo.version))
                await stop.wait()

    async def _still_answers(self, live: Live) -> bool:
        if not live.owner.done() and live.doubtful:
            try:
                await asyncio.wait_for(live.session.send_ping(), PING_SECONDS)
                live.doubtful = False
            except Exception:  # noqa: BLE001  whatever the reason, a server that does not answer a ping is started anew
                await _stop(live)
        if live.owner.done():
            if self._live is live:
                self._live = None
            return False
        return True

    async def _ask(self, live: Live, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Waits for the answer, for the end of the session, or for something that nobody can read."""
        from mcp import McpError
        from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest

        params = CallToolRequestParams(name=tool, arguments=arguments)
        request = ClientRequest(CallToolRequest(params=params))
        call = asyncio.create_task(live.session.send_request(request, CallToolResult))
        garbled = asyncio.create_task(live.garbled.wait())
        try:
            await asyncio.wait({call, live.owner, garbled}, return_when=asyncio.FIRST_COMPLETED)
            if not call.done() and live.owner.done():
                raise _why(live.owner)
            if not call.done():
                live.garbled.clear()
                live.doubtful = True
                raise TemporaryError(NO_MESSAGE, system="mcp")
            return call.result()
        except McpError as problem:
            if problem.error.message in ("Connection closed", "Session terminated"):
                await _stop(live)
                raise TemporaryError("the connection was closed", system="mcp") from problem
            raise PermanentError(problem.error.message, system="mcp") from problem
        except UpstreamError:
            raise
        except asyncio.CancelledError:
            live.doubtful = True
            raise
        except Exception as problem:  # streams that were closed under the call, or an unreadable answer
            await _stop(live)
            raise TemporaryError(_words(problem), system="mcp") from problem
        finally:
            for task in (call, garbled):
                task.cancel()
                task.add_done_callback(_look_at)


async def _all_tools(session: ClientSession) -> tuple[Tool, ...]:
    found: list[Tool] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await session.list_tools(cursor)
        found += page.tools
        cursor = page.nextCursor
        if not cursor:
            break
    return tuple(found)


async def _stop(live: Live) -> None:
    live.stop.set()
    await asyncio.wait({live.owner}, timeout=CLOSE_SECONDS)
    await _cancel(live.owner)
    _look_at(live.owner)


async def _cancel(owner: asyncio.Task[None]) -> None:
    if not owner.done():
        owner.cancel()
        await asyncio.wait({owner}, timeout=CLOSE_SECONDS)


def _look_at(task: asyncio.Task[Any]) -> None:
    """Takes note of a task's error, which asyncio would otherwise print when the task is thrown away."""
    with contextlib.suppress(asyncio.CancelledError, asyncio.InvalidStateError):
        task.exception()


def _why(owner: asyncio.Task[None]) -> UpstreamError:
    problem = None if owner.cancelled() else owner.exception()
    if problem is None:
        return TemporaryError("the session ended", system="mcp")
    found = _first(problem)
    return found if isinstance(found, UpstreamError) else TemporaryError(_words(found), system="mcp")


def _first(problem: BaseException) -> BaseException:
    """The first real error inside the groups that task groups wrap errors in."""
    while isinstance(problem, BaseExceptionGroup):
        problem = next((one for one in problem.exceptions if isinstance(one, UpstreamError)), problem.exceptions[0])
    return problem


def _words(problem: BaseException) -> str:
    """One line; what httpx and the SDK say of refused connections and statuses is good enough to be shown."""
    from pydantic import ValidationError

    if isinstance(problem, ValidationError):
        return f"{NO_MESSAGE} ({problem.title})"
    return (f"{type(problem).__name__}: {problem}".splitlines() or [""])[0][:300]
