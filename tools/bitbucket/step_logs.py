"""Reads step logs: the end first, because that is where a failure stands, or the whole, piece by piece.

A log can be hundreds of megabytes and is often fetched while it still grows. Bitbucket serves byte ranges
(RFC 9110, section 14), redirects finished logs to a store on another host, and answers 416 past the end.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import httpx

from tools.bitbucket.connection import Connection
from tools.errors import TemporaryError

MOST_RESUMES = 3
PATIENCE_FOR_TAIL = 2.0
PATIENCE_FOR_WHOLE = 15.0
"""Times the usual limit (20 s by default): 40 s for an end of a log, five minutes for 200 MB."""
CONTENT_RANGE = re.compile(r"bytes\s+(?:(\d+)-(\d+)|\*)/(\d+|\*)", re.IGNORECASE)
# A compressed answer could not be cut by bytes nor resumed.
PLAIN = {"Accept": "application/octet-stream, */*", "Accept-Encoding": "identity"}


@dataclass(frozen=True)
class LogSlice:
    """``data`` starts at ``first_byte`` of a log of ``total_bytes`` (None where the server does not say).

    ``truncated`` means that something before ``data`` was left out. Bytes are as the build wrote them.
    """

    data: bytes
    first_byte: int
    total_bytes: int | None
    truncated: bool


EMPTY = LogSlice(b"", 0, 0, False)


def read_tail(connection: Connection, path: str, max_bytes: int) -> LogSlice:
    """The last ``max_bytes`` of the log; ``EMPTY`` where it holds nothing or does not exist (yet)."""
    if max_bytes < 1:
        raise ValueError("max_bytes must be at least 1")
    return connection.repeating(lambda: _tail(connection, path, f"bytes=-{max_bytes}", max_bytes))


def _tail(connection: Connection, path: str, wanted: str, max_bytes: int) -> LogSlice:
    with connection.streaming(path, {**PLAIN, "Range": wanted}, accept=(404, 416)) as response:
        if response.status_code == 404:
            return EMPTY
        if response.status_code != 416:
            return _received(response, connection.pieces(response, patience=PATIENCE_FOR_TAIL), max_bytes)
        _, total = _content_range(response)
    if not total or not wanted.startswith("bytes=-"):
        return EMPTY
    # Some stores know no suffix ranges. 416 names the length, so the same end can be asked for by position.
    return _tail(connection, path, f"bytes={max(0, total - max_bytes)}-", max_bytes)


def _received(response: httpx.Response, pieces: Iterator[bytes], max_bytes: int) -> LogSlice:
    """Keeps the end only, in bounded memory: a server that ignores Range sends everything."""
    kept: deque[bytes] = deque()
    size = received = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        received += len(piece)
        while size - len(kept[0]) >= max_bytes:
            size -= len(kept.popleft())
    data = b"".join(kept)[-max_bytes:]
    start, total = _content_range(response) if response.status_code == 206 else (0, received)
    if start is None:  # 206 without saying which part: all that is known is that it is a part
        return LogSlice(data, 0, None, True)
    first = start + received - len(data)
    return LogSlice(data, first, total, first > 0)


def _content_range(response: httpx.Response) -> tuple[int | None, int | None]:
    """First byte and total length from Content-Range, each None where not given."""
    match = CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if match is None:
        return None, None
    start, _, total = match.groups()
    return int(start) if start else None, None if total == "*" else int(total)


def copy_log(connection: Connection, path: str, into: BinaryIO, max_bytes: int) -> int:
    """Writes the log from its start into ``into`` and returns how many bytes, at most ``max_bytes``.

    When the connection breaks it goes on from where it was. 0 where the log is empty or does not exist (yet).
    """
    written = 0
    for attempt in range(MOST_RESUMES + 1):
        progress = _Progress(into, written, max_bytes)
        try:
            _copy(connection, path, progress)
            return progress.written
        except TemporaryError as problem:
            if attempt == MOST_RESUMES or problem.retry_after is not None:
                raise
            written = progress.written
    return written


class _Progress:
    """Counts what has been written, so that a broken copy knows where to go on."""

    def __init__(self, into: BinaryIO, written: int, max_bytes: int) -> None:
        self._into = into
        self._max_bytes = max_bytes
        self.written = written

    @property
    def is_complete(self) -> bool:
        return self.written >= self._max_bytes

    def add(self, piece: bytes) -> None:
        piece = piece[: self._max_bytes - self.written]
        self._into.write(piece)
        self.written += len(piece)


def _copy(connection: Connection, path: str, progress: _Progress) -> None:
    headers = {**PLAIN, "Range": f"bytes={progress.written}-"} if progress.written else PLAIN
    with connection.streaming(path, headers, accept=(404, 416)) as response:
        if response.status_code in (404, 416):
            return
        skip = progress.written if response.status_code != 206 else 0
        for piece in connection.pieces(response, patience=PATIENCE_FOR_WHOLE):
            fresh = piece[skip:]
            skip = max(0, skip - len(piece))
            if fresh:
                progress.add(fresh)
            if progress.is_complete:
                return
