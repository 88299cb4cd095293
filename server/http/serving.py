"""How we listen: the one configuration of every HTTP server of ours, and the thread in which the daemon's runs.

The socket is bound before anything else starts.
"""

from __future__ import annotations

import socket
import threading
import time
from types import TracebackType
from typing import Any, Literal, Self

import uvicorn

from opscrew.errors import CrewError
from server.http.connections import HEAD_SECONDS, LARGEST_HEAD, LimitedConnection
from server.http.repeats import quiet_repeats

SECONDS_TO_START = 20.0
SECONDS_TO_FINISH = 3


def bind(host: str, port: int, hint: str = "Set http.host and http.port in crew.yaml") -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ``CrewError`` with ``hint`` where it cannot be had."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        # Lets a restart right after kill -9 take the port again while old connections time out.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as problem:
        reason = problem.strerror or str(problem)
        raise CrewError(
            f"cannot listen on {host} port {port}: {reason}", f"{hint}; port 0 takes a free one."
        ) from problem
    return listener


def url_of(listener: socket.socket) -> str:
    """http://host:port with the port that was really taken."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def http_server(application: Any, *, lifespan: Literal["on", "off"] = "off") -> uvicorn.Server:
    """A server with all limits that lie below the application; those on requests and bodies are in ``guard.py``."""
    quiet_repeats()
    return uvicorn.Server(
        uvicorn.Config(
            application,
            http=LimitedConnection,
            h11_max_incomplete_event_size=LARGEST_HEAD,
            timeout_keep_alive=int(HEAD_SECONDS),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan=lifespan,
            timeout_graceful_shutdown=SECONDS_TO_FINISH,
        )
    )


class HttpThread:
    """A context manager. ``alive`` turns false if the server ever ends by itself."""

    def __init__(self, application: Any, listener: socket.socket) -> None:
        self._server = http_server(application)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        end = time.monotonic() + SECONDS_TO_START
        while not self._server.started and self._thread.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        if not self._server.started:
            raise CrewError("the HTTP server did not start", "The log above says why.")
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.should_exit = True
        self._thread.join(SECONDS_TO_FINISH + 2)
        self._listener.close()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])
