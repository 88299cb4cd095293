"""Serves a sandbox over real HTTP on a free loopback port, in a thread, until the caller is done.

Each application gets the raw connection in ``scope["sandbox.transport"]``, so that a fault can cut it off the way a
dying load balancer does; no other way exists to end a connection without an answer.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

START_SECONDS = 60.0
STOP_SECONDS = 5.0


class _CuttableConnection(H11Protocol):
    """Hands the transport on to the application."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        application = self.app

        async def with_transport(scope: Any, receive: Any, send: Any) -> None:
            scope["sandbox.transport"] = transport
            await application(scope, receive, send)

        self.app = with_transport


@contextmanager
def serve(app: Any, *, port: int = 0) -> Iterator[str]:
    """Yields the base URL ("http://127.0.0.1:41234") once the server answers. Port 0 means any free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    server = uvicorn.Server(
        uvicorn.Config(
            app, http=_CuttableConnection, log_config=None, log_level="critical", timeout_graceful_shutdown=1
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    try:
        deadline = time.monotonic() + START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the sandbox did not start; its application failed on start-up")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS)
        if thread.is_alive():
            server.force_exit = True
            thread.join(STOP_SECONDS)
        listener.close()
