"""The one way to every MCP server: which tools are offered, who may be asked, and how long an answer may take.

Sessions live on an event loop of their own in one thread; callers use plain functions from any thread. A server that
is missing, broken or slow costs its own answer and nothing else: the result says so in words.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.mcp.servers import Server, ToolEntry
from tools.mcp.session import Live, SupervisedSession
from tools.mcp.shaping import ToolResult, failure, shape
from tools.mcp.transports import BuiltIn, Transports
from tools.mcp.trimming import McpTool, trim

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

Result = TypeVar("Result")
GRACE_SECONDS = 1.0
"""How much longer than its deadline a caller waits for the loop to say that the deadline has passed."""


@dataclass(frozen=True)
class ServerState:
    """``condition``: ready, off (not configured) or down. ``absent`` are listed tools that the server does not have."""

    name: str
    title: str
    way: str
    condition: str
    detail: str = ""
    hint: str = ""
    protocol: str = ""
    version: str = ""
    offered: int = 0
    served: int = 0
    absent: tuple[str, ...] = ()


class Gateway:
    """Close it, or use it as a context manager: it may hold processes. ``clean`` takes secrets out of every answer."""

    def __init__(
        self, servers: Sequence[Server], *, clean: Callable[[str], str], built_in: BuiltIn | None = None
    ) -> None:
        self._servers: Mapping[str, Server] = {server.name: server for server in servers}
        self._clean = clean
        self._transports = Transports(built_in or {})
        self._sessions: dict[str, SupervisedSession] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def servers(self) -> tuple[Server, ...]:
        """In the order of the list."""
        return tuple(self._servers.values())

    def tools(self, name: str) -> tuple[McpTool, ...]:
        """The tools of one server that may be used, in the order of the list. Raises ``UpstreamError``."""
        server = self._server(name)
        served: dict[str, Tool] = {}
        for one in self._live(server).tools:
            served.setdefault(one.name, one)  # of two that share a name, the first is what a call would reach
        return tuple(
            trim(name, tool, served[tool].description or "", served[tool].inputSchema, entry)
            for tool, entry in server.entry.tools.items()
            if tool in served
        )

    def unlisted(self, name: str) -> tuple[str, ...]:
        """What the server serves beyond the list. Raises ``UpstreamError``."""
        server = self._server(name)
        return tuple(tool.name for tool in self._live(server).tools if tool.name not in server.entry.tools)

    def call(
        self,
        name: str,
        tool: str,
        arguments: dict[str, Any],
        *,
        seconds: float | None = None,
        allow_changes: bool = False,
    ) -> ToolResult:
        """Never raises for what a server does. ``seconds`` can only shorten the server's own deadline."""
        started = time.monotonic()
        try:
            server = self._server(name)
            result = self._called(server, tool, arguments, seconds, allow_changes)
        except UpstreamError as problem:
            hint = f" ({problem.hint})" if problem.hint else ""
            result = ToolResult("error", f"{name}: {problem.message}{hint}")
        return replace(result, seconds=time.monotonic() - started)

    def state(self, name: str) -> ServerState:
        """Starts the server if need be and says how it is. Never raises for what a server does."""
        server = self._servers[name]
        blank = ServerState(name, server.entry.title, server.way, "off", offered=len(server.entry.tools))
        if not server.is_configured:
            return replace(blank, detail=f"needs {', '.join(server.missing)}", hint=server.entry.install)
        try:
            live = self._live(server)
        except UpstreamError as problem:
            return replace(blank, condition="down", detail=problem.message, hint=problem.hint or server.entry.install)
        served = {tool.name for tool in live.tools}
        return replace(
            blank,
            condition="ready",
            protocol=live.protocol,
            version=live.version,
            offered=len(served & set(server.entry.tools)),
            served=len(served),
            absent=tuple(tool for tool in server.entry.tools if tool not in served),
        )

    def close(self) -> None:
        """Ends every session and process, then the loop. Whoever still waits is told. Safe to call twice."""
        with self._lock:
            self._closed = True
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
            sessions, self._sessions = list(self._sessions.values()), {}
        if loop is None or thread is None:
            return
        ending = asyncio.run_coroutine_threadsafe(_close_all(sessions), loop)
        try:
            ending.result(30)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)
            if not thread.is_alive():
                loop.close()

    def _called(
        self, server: Server, tool: str, arguments: dict[str, Any], seconds: float | None, allow_changes: bool
    ) -> ToolResult:
        entry = _permitted(server, tool, arguments, allow_changes)
        limit = min(seconds or server.entry.timeout_seconds, server.entry.timeout_seconds)
        asking = self._session(server).call(tool, arguments, may_repeat=not entry.mutates)
        answer: CallToolResult = self._run(asking, limit)
        text, failed = _text_of(answer)
        limits = server.entry
        return shape(text, failed=failed, limit=limits.result_characters, clean=self._clean, keep_end=entry.keep_end)

    def _server(self, name: str) -> Server:
        server = self._servers.get(name)
        if server is None:
            raise PermanentError(
                f"there is no MCP server {name}", system="mcp", hint=f"There are: {', '.join(self._servers)}."
            )
        if not server.is_configured:
            raise PermanentError("is not configured", system="mcp", hint=f"Set {', '.join(server.missing)}.")
        return server

    def _live(self, server: Server) -> Live:
        return self._run(self._session(server).live(), server.entry.start_seconds + GRACE_SECONDS)

    def _session(self, server: Server) -> SupervisedSession:
        with self._lock:
            if self._closed:
                raise _closed()
            if server.name not in self._sessions:
                self._sessions[server.name] = SupervisedSession(server, self._transports.connect)
            return self._sessions[server.name]

    def _run(self, asking: Coroutine[Any, Any, Result], seconds: float) -> Result:
        """Runs on the loop; gives up after ``seconds`` of wall time, whatever the server or the loop does.

        Raises ``UpstreamError`` in words that anybody may read: a server may repeat the token that it was given.
        """
        with self._lock:  # so that closing finds each question either on the loop or not begun
            if self._closed:
                asking.close()
                raise _closed()
            future = asyncio.run_coroutine_threadsafe(_within(asking, seconds), self._running_loop())
        try:
            return future.result(seconds + GRACE_SECONDS)
        except FutureTimeout:
            future.cancel()
            raise _late(seconds) from None
        except FutureCancelled:
            raise _closed() from None
        except UpstreamError as problem:
            words = " ".join(failure(problem.message, self._clean).text.split())
            raise type(problem)(words, system="mcp", hint=problem.hint) from None

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        """The caller holds the lock."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, name="mcp gateway", daemon=True)
            self._thread.start()
        return self._loop


def _permitted(server: Server, tool: str, arguments: Mapping[str, Any], allow_changes: bool) -> ToolEntry:
    """The tool's entry. Raises ``PermanentError`` for what is not in the list or must not be asked."""
    entry = server.entry.tools.get(tool)
    if entry is None:
        hint = f"There are: {', '.join(server.entry.tools)}."
        raise PermanentError(f"{tool} is not among the tools that may be used", system="mcp", hint=hint)
    if entry.mutates and not allow_changes:
        raise PermanentError(f"{tool} changes something", system="mcp", hint="Only a person may ask for that.")
    refused = entry.refused_of(arguments)
    if refused:
        hint = "It would bring secrets here."
        raise PermanentError(f"{tool} is not asked for {refused}", system="mcp", hint=hint)
    return entry


def _late(seconds: float) -> TemporaryError:
    return TemporaryError(f"no answer within {seconds:.3g} s", system="mcp")


def _closed() -> TemporaryError:
    return TemporaryError("the gateway was closed", system="mcp")


async def _within(asking: Coroutine[Any, Any, Result], seconds: float) -> Result:
    try:
        return await asyncio.wait_for(asking, seconds)
    except TimeoutError:
        raise _late(seconds) from None


async def _close_all(sessions: Sequence[SupervisedSession]) -> None:
    """Sessions first, so that their processes end in order; then whatever else is under way on this loop."""
    await asyncio.gather(*(session.close() for session in sessions), return_exceptions=True)
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def _text_of(answer: CallToolResult) -> tuple[str, bool]:
    """The text of an answer, and whether the server called it a failure."""
    import json

    texts, others = [], []
    for part in answer.content:
        text = part.text if part.type == "text" else getattr(getattr(part, "resource", None), "text", None)
        if text is None:
            others.append(f"({part.type} left out)")
        else:
            texts.append(text)
    if not texts and answer.structuredContent is not None:
        texts = [json.dumps(answer.structuredContent, ensure_ascii=False)]
    return "\n".join((*texts, *others)), bool(answer.isError)
