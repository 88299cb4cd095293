"""A small HTTP server over a real socket that gives prepared answers, also such as no healthy server would give."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """``values`` joins query and form; ``body`` is the text as it came."""

    method: str
    path: str
    values: dict[str, str]
    headers: dict[str, str]
    body: str


Answer = Callable[["Handler", Request], None]


@dataclass
class Answers:
    """``by_path`` holds what is answered; ``requests`` what was asked."""

    by_path: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    answers: Answers

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        pairs = parse_qs(parts.query) | (parse_qs(body) if not body.startswith("{") else {})
        values = {name: found[0] for name, found in pairs.items()}
        request = Request(self.command, parts.path, values, dict(self.headers), body)
        self.answers.requests.append(request)
        self.answers.by_path.get(parts.path, status(404, "no such path"))(self, request)

    do_POST = do_GET
    do_PATCH = do_GET

    def send(self, content: bytes, code: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


class LoopbackServer(ThreadingHTTPServer):
    """Lets as many callers wait as come. The library's five are soon full where a client asks from many threads, and
    whoever finds no room tries again only a second later, then three, then seven."""

    daemon_threads = True
    request_queue_size = 128


@contextmanager
def http_answers(**by_path: Answer) -> Iterator[Answers]:
    """The server on a free port of the loopback device. What hangs is let go at the end."""
    answers = Answers(dict(by_path))
    server = LoopbackServer(("127.0.0.1", 0), type("OwnHandler", (Handler,), {"answers": answers}))
    answers.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield answers
    finally:
        answers.ended.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextmanager
def nobody_listens() -> Iterator[str]:
    """An address that refuses every connection, and that no other program can take meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def value(found: Any) -> Answer:
    """Any JSON value."""
    return text(json.dumps(found))


def text(content: str) -> Answer:
    """Any text."""
    return lambda handler, request: handler.send(content.encode())


def status(code: int, content: str = "", **headers: str) -> Answer:
    """A refusal; underscores in header names stand for dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, request: handler.send(content.encode(), code, named)


def hang(handler: Handler, request: Request) -> None:
    """Takes the question and never answers."""
    handler.answers.ended.wait(30)


def drip(handler: Handler, request: Request) -> None:
    """One byte now and then: each of them starts a library's own time limit anew."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    while not handler.answers.ended.wait(0.05):
        try:
            handler.wfile.write(b" ")
            handler.wfile.flush()
        except OSError:
            return


def cut(handler: Handler, request: Request) -> None:
    """Promises more than it sends."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"status":"success","data":{"res')
