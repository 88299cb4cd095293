"""What a watch says, line by line, and how one is ended from outside while its thread waits for the next line.

Closing a connection under a thread that reads from it does not wake the thread, and its descriptor may be given to the
next connection meanwhile. A shutdown wakes it, and leaves the closing to the thread that owns the connection.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx
import orjson

from tools.errors import TemporaryError
from tools.kubernetes.access import SYSTEM
from tools.kubernetes.failures import ExpiredError
from tools.kubernetes.fields import text
from tools.kubernetes.trimming import trim


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """``type`` is ADDED, MODIFIED, DELETED or BOOKMARK; a bookmark carries a resource version and nothing else."""

    type: str
    object: dict[str, Any]
    resource_version: str


def watch_event(kind: str, line: str, url: str) -> WatchEvent:
    """One line of a watch. Raises ``ExpiredError`` where the place is lost, ``TemporaryError`` where it says less."""
    try:
        event = orjson.loads(line)
    except orjson.JSONDecodeError as problem:
        raise TemporaryError("a watch event was cut off", system=SYSTEM, url=url) from problem
    raw = event.get("object") if isinstance(event, dict) else None
    if not isinstance(raw, dict):
        raise TemporaryError("a watch event has no object", system=SYSTEM, url=url)
    if text(event, "type") == "ERROR":
        error = ExpiredError if raw.get("code") == 410 else TemporaryError
        raise error(text(raw, "message") or "the watch failed", system=SYSTEM, url=url)
    return WatchEvent(text(event, "type"), trim(kind, raw), text(raw, "metadata", "resourceVersion"))


class OpenWatches:
    """The connections of the watches that are under way. Thread-safe; once ended, later ones end at once too."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._sockets: set[socket.socket] = set()
        self._ended = False

    @contextmanager
    def one(self, response: httpx.Response) -> Iterator[None]:
        """Around the reading of one watch."""
        stream = response.extensions.get("network_stream")
        line = stream.get_extra_info("socket") if stream is not None else None
        if not isinstance(line, socket.socket):  # an answer that came over no network, as from a test's transport
            yield
            return
        with self._lock:
            self._sockets.add(line)
            if self._ended:
                _shut_down(line)
        try:
            yield
        finally:
            with self._lock:
                self._sockets.discard(line)

    def end(self) -> None:
        """Every reading thread sees the end of its watch."""
        with self._lock:
            self._ended = True
            for line in self._sockets:
                _shut_down(line)


def _shut_down(line: socket.socket) -> None:
    with suppress(OSError):  # the other side was faster
        socket.socket.shutdown(line, socket.SHUT_RDWR)  # not TLS's own, which takes the session away from its reader
