"""A small Kubernetes API over a real socket that misbehaves on command, as no healthy API server would in a test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

from tests.support.http_answers import LoopbackServer

Answer = Callable[["ApiHandler", dict[str, str]], bool]
"""Answers a request itself and returns True, or returns False to let the next one do it."""


@dataclass
class Api:
    """``objects`` by path of the list; ``faults`` by path; ``watches`` holds lines to send on a watch of a path."""

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    faults: dict[str, list[Answer]] = field(default_factory=dict)
    watches: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    denied: set[tuple[str, str, str]] = field(default_factory=set)
    """Verb, resource with its subresource, and namespace (empty for all of them) that the account may not."""
    url: str = ""

    def asked(self, path: str, **query: str) -> list[dict[str, str]]:
        """Queries of the requests to ``path`` that had at least these parameters."""
        return [q for _, p, q in self.requests if p == path and query.items() <= q.items()]

    def kubeconfig(self, folder: Path) -> Path:
        path = folder / "kubeconfig"
        cluster = {"name": "test", "cluster": {"server": self.url}}
        context = {"name": "test", "context": {"cluster": "test"}}
        path.write_text(yaml.safe_dump({"current-context": "test", "clusters": [cluster], "contexts": [context]}))
        return path


class ApiHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: Api

    def log_message(self, *_: object) -> None:
        return

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.api.requests.append(("GET", parts.path, query))
        faults = self.api.faults.get(parts.path, [])
        if faults and faults.pop(0)(self, query):
            return
        if query.get("watch"):
            self._watch(parts.path)
        elif parts.path == "/apis":
            self.send_json({"kind": "APIGroupDiscoveryList", "items": self.api.objects.get("/apis", [])})
        else:
            self._list(self.api.objects.get(parts.path, []), query)

    def do_POST(self) -> None:
        """Reviews of what the account itself may do."""
        length = int(self.headers.get("Content-Length", 0))
        body = json.loads(self.rfile.read(length))
        wanted = body["spec"]["resourceAttributes"]
        resource = wanted["resource"] + (f"/{wanted['subresource']}" if "subresource" in wanted else "")
        asked = (wanted["verb"], resource, wanted.get("namespace", ""))
        self.api.requests.append(("POST", urlsplit(self.path).path, {"verb": asked[0], "resource": asked[1]}))
        self.send_json({**body, "status": {"allowed": asked not in self.api.denied}}, 201)

    def send_json(self, value: Any, status: int = 200) -> None:
        content = json.dumps(value, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _list(self, objects: list[dict[str, Any]], query: dict[str, str]) -> None:
        begin, size = int(query.get("continue", 0)), int(query.get("limit", len(objects)))
        metadata = {"resourceVersion": "100"}
        if begin + size < len(objects):
            metadata["continue"] = str(begin + size)
        self.send_json({"kind": "List", "metadata": metadata, "items": objects[begin : begin + size]})

    def _watch(self, path: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        rounds = self.api.watches.get(path, [])
        for event in rounds.pop(0) if rounds else []:
            self.wfile.write(json.dumps(event).encode() + b"\n")
            self.wfile.flush()
        if not rounds:
            _IDLE.wait(0.3)  # nothing changes for a moment; then the server ends the watch, as real ones do
        self.close_connection = True


_IDLE = threading.Event()


@contextmanager
def kubernetes_api() -> Iterator[Api]:
    """The server on a free port of the loopback device."""
    api = Api()
    server = LoopbackServer(("127.0.0.1", 0), type("Handler", (ApiHandler,), {"api": api}))
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def refuse(status: int, message: str = "refused") -> Answer:
    """Answers with a Kubernetes Status."""

    def answer(handler: ApiHandler, query: dict[str, str]) -> bool:
        handler.send_json({"kind": "Status", "code": status, "message": message}, status)
        return True

    return answer


def hang(handler: ApiHandler, query: dict[str, str]) -> bool:
    """Takes the request and says nothing until long after any patience."""
    _IDLE.wait(20)
    handler.close_connection = True
    return True


def watch_in_silence(handler: ApiHandler, query: dict[str, str]) -> bool:
    """Begins a watch on which nothing ever happens."""
    if not query.get("watch"):
        return False
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.flush()
    handler.rfile.read(1)  # returns when the other side hangs up
    handler.close_connection = True
    return True


def cut_in_the_middle(handler: ApiHandler, query: dict[str, str]) -> bool:
    """Promises more than it sends, as a server that stops does."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b'{"kind":"List","metadata":{},"items":[{"metadata":{"name":"a"}}')
    handler.wfile.flush()
    handler.close_connection = True
    return True


def let_pass(handler: ApiHandler, query: dict[str, str]) -> bool:
    """No fault this time."""
    return False


def say(content: str | bytes) -> Answer:
    """Any text, or any bytes, as the answer."""
    raw = content.encode() if isinstance(content, str) else content

    def answer(handler: ApiHandler, query: dict[str, str]) -> bool:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(raw)))
        handler.end_headers()
        handler.wfile.write(raw)
        return True

    return answer
