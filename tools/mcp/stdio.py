"""A server that is a process of ours, talked to over its standard input and output.

Written here rather than taken from the SDK for four reasons: the process gets only the environment that it is given,
what it prints besides messages does no harm, its last words on standard error are kept for the person who has to mend
it, and its whole process group ends with the session.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.errors import PermanentError, TemporaryError

if TYPE_CHECKING:
    from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

LONGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes of one line. A server that sends more is cut off, since nobody could use the answer."""
LAST_WORDS = 4
COMPLAINT = re.compile(r"\b(?:error|fatal|panic|failed|cannot|unable)\b", re.IGNORECASE)
"""Programs often print their whole usage after the one line that says what is wrong."""
HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")
SECONDS_TO_END = 2.0
SECONDS_FOR_LAST_WORDS = 0.05
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE")
"""What programs need to run at all. Everything else, secrets above all, is given by name or not at all."""
REPORT_NOTHING = ("DO_NOT_TRACK", "ORT_DISABLE_TELEMETRY")
"""What our own process was told about reporting home holds for its children too."""


class LastWords:
    """What a program said beside messages: the first complaint, and the last few lines."""

    def __init__(self) -> None:
        self._complaint = ""
        self._last: deque[str] = deque(maxlen=LAST_WORDS)

    def hear(self, line: bytes) -> None:
        words = line[:300].decode(errors="replace").strip()
        if words:
            self._last.append(words)
            if not self._complaint and COMPLAINT.search(words):
                self._complaint = words

    def __str__(self) -> str:
        said = self._complaint or " / ".join(self._last)
        return f": {said[:400]}" if said else ""


@asynccontextmanager
async def stdio_streams(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> AsyncIterator[tuple[MemoryObjectReceiveStream[Any], MemoryObjectSendStream[Any]]]:
    """Starts the process; yields the streams that a ``ClientSession`` reads and writes; ends the process group.

    Raises ``PermanentError`` when the program is not there, ``TemporaryError`` when the process ends by itself.
    """
    import anyio

    process = await _start(name, command, environment, folder)
    to_session, read = anyio.create_memory_object_stream[Any](32)
    write, from_session = anyio.create_memory_object_stream[Any](32)
    last_words = LastWords()
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, process, last_words)
            group.start_soon(_read, name, process, to_session, last_words)
            group.start_soon(_write, process, from_session)
            try:
                yield read, write
            finally:
                group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)
        for stream in (to_session, read, write, from_session):
            stream.close()


async def _start(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path | None
) -> asyncio.subprocess.Process:
    try:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**inherited(os.environ), **environment},
            cwd=folder,
            start_new_session=True,
            limit=LONGEST_MESSAGE,
        )
    except OSError as problem:
        absent = isinstance(problem, FileNotFoundError) and (folder is None or folder.is_dir())
        reason = "is not installed" if absent else f"cannot be run: {problem.strerror}"
        raise PermanentError(f"{command[0]} {reason}", system="mcp", hint=f"See {name} in docs/MCP.md.") from problem


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of our own environment that a server's process may see."""
    return {variable: environment[variable] for variable in (*INHERITED, *REPORT_NOTHING) if variable in environment}


async def _read(name: str, process: asyncio.subprocess.Process, to_session: Any, last_words: LastWords) -> None:
    from mcp.shared.message import SessionMessage
    from mcp.types import JSONRPCMessage
    from pydantic import ValidationError

    assert process.stdout is not None, "started with a pipe"
    while True:
        try:
            line = await process.stdout.readline()
        except ValueError as problem:
            raise TemporaryError(f"sent more than {LONGEST_MESSAGE} bytes at once", system="mcp") from problem
        if not line:
            break
        try:
            message = JSONRPCMessage.model_validate_json(_without_half_characters(line))
        except ValidationError:
            last_words.hear(line)  # a banner, a warning, a debug print
            continue
        await to_session.send(SessionMessage(message))
    code = await process.wait()
    await asyncio.sleep(SECONDS_FOR_LAST_WORDS)
    raise TemporaryError(f"{name} ended with code {code}{last_words}", system="mcp")


def _without_half_characters(line: bytes) -> bytes:
    """Programs that cut a text in the middle of an emoji send half of it, which no JSON reader but Python's takes."""
    if not HALF_CHARACTER.search(line):
        return line
    try:
        return json.dumps(json.loads(line), ensure_ascii=False).encode(errors="replace")
    except (ValueError, RecursionError):
        return line


async def _write(process: asyncio.subprocess.Process, from_session: Any) -> None:
    assert process.stdin is not None, "started with a pipe"
    async for message in from_session:
        text = message.message.model_dump_json(by_alias=True, exclude_none=True)
        try:
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
        except (BrokenPipeError, ConnectionResetError):
            return  # the reader hears of the end too, and knows more


async def _listen(process: asyncio.subprocess.Process, last_words: LastWords) -> None:
    """Empties standard error: a full pipe would stop the server."""
    assert process.stderr is not None, "started with a pipe"
    while piece := await process.stderr.read(64 * 1024):
        for line in piece.splitlines():
            last_words.hear(line)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its input, as the protocol wants; then asks the group to end; then ends it. Waits, so none is left.

    Whoever has no time for that and cancels it ends the group at once.
    """
    if process.stdin is not None:
        process.stdin.close()
    try:
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                _signal_group(process.pid, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), SECONDS_TO_END)
                break
    finally:
        _signal_group(process.pid, signal.SIGKILL)  # children that outlived it, or all of them
        # asyncio closes its pipes when it has heard of the end, for which a cancelled caller leaves no time.
        process._transport.close()  # type: ignore[attr-defined]


def _signal_group(pid: int, number: signal.Signals) -> None:
    # The group is the process's own, since it was started in a session of its own.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
