"""Callers that open a connection and then behave badly."""

from __future__ import annotations

import contextlib
import socket
from functools import cache
from pathlib import Path

from tests.support.daemon import PATIENCE

KILOBYTES = 1024


def open_line(url: str, room: int | None = None) -> socket.socket:
    """A connection to that server; ``room`` is how many bytes the caller takes before it reads."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    line = socket.socket()
    if room is not None:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    line.settimeout(PATIENCE)
    line.connect((host, int(port)))
    return line


def hang(line: socket.socket, sent: bytes) -> None:
    """Sends that and no more. The server may end the connection meanwhile."""
    with contextlib.suppress(OSError):
        line.sendall(sent)


@cache
def ways_to_hang() -> tuple[bytes, ...]:
    """What is sent before silence: nothing, half a head, a head of any length, half a body of each kind."""
    post = b"POST /webhooks/bitbucket HTTP/1.1\r\nHost: localhost\r\n"
    chunk = b"%x\r\n%b\r\n" % (60_000, b"x" * 60_000)
    return (
        b"",
        b"GET / HTTP/1.1\r\nHost: local",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 500_000,
        post + b"Content-Length: 500000\r\n\r\n" + b"x" * 499_000,
        post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 8,
        post + b"Content-Length: 10\r\n\r\nabc",
    )


def memory_of(process: int) -> float:
    """Resident megabytes."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / KILOBYTES
