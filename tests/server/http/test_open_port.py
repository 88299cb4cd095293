"""What callers can do to us below the application, and that probes are answered meanwhile. All over real sockets."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from server.http import bodies, connections, guard
from server.http.guard import LARGEST_BODY, Guard, Rules
from server.http.repeats import OncePerMinute
from server.http.serving import HttpThread, bind, url_of
from tests.support.daemon import CREW, PATIENCE, Daemon
from tests.support.hanging import hang, memory_of, open_line, ways_to_hang

SHORT = 0.6
HEAD = b"GET /page HTTP/1.1\r\nHost: localhost\r\n"
LONG_ANSWER = 20 * 1024 * 1024


class Routes:
    """What stands behind the guard in these tests. ``called`` counts requests that reached it."""

    def __init__(self) -> None:
        self.called = 0
        self.may_end = threading.Event()
        self.second: list[str] = []

    def application(self) -> Starlette:
        paths = {"/page": self.page, "/healthz": self.page, "/wait": self.wait, "/long": self.long}
        paths |= {"/stream": self.stream, "/twice": self.twice}
        return Starlette(routes=[Route(path, function, methods=["GET", "POST"]) for path, function in paths.items()])

    async def page(self, request: Request) -> PlainTextResponse:
        self.called += 1
        return PlainTextResponse(str(len(await request.body())))

    async def wait(self, _request: Request) -> PlainTextResponse:
        self.called += 1
        while not self.may_end.is_set():
            await asyncio.sleep(0.01)
        return PlainTextResponse("done")

    async def long(self, _request: Request) -> StreamingResponse:
        async def chunks() -> object:
            for _ in range(LONG_ANSWER // 65536):
                yield b"x" * 65536

        return StreamingResponse(chunks())  # type: ignore[arg-type]

    async def stream(self, _request: Request) -> StreamingResponse:
        async def chunks() -> object:
            for _ in range(5):
                await asyncio.sleep(SHORT)
                yield b"x"

        return StreamingResponse(chunks())  # type: ignore[arg-type]

    async def twice(self, request: Request) -> PlainTextResponse:
        kinds = [(await request.receive())["type"]]
        self.called += 1
        kinds.append((await request.receive())["type"])
        self.second += kinds
        return PlainTextResponse("")


@pytest.fixture
def routes() -> Routes:
    return Routes()


@contextmanager
def serving(routes: Routes) -> Iterator[str]:
    listener = bind("127.0.0.1", 0)
    rules = Rules(frozenset({"localhost"}), "", probes=("/healthz",), most_requests=3)
    with HttpThread(Guard(routes.application(), rules), listener):
        yield url_of(listener)


@pytest.fixture
def url(routes: Routes, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Connections may take their time: the machine may be busy. A test of a limit calls ``hurry`` when it is due."""
    for state in connections.SECONDS:
        monkeypatch.setitem(connections.SECONDS, state, PATIENCE)
    with serving(routes) as url:
        yield url


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def now() -> None:
        for state in connections.SECONDS:
            monkeypatch.setitem(connections.SECONDS, state, SHORT)

    return now


def get(url: str, path: str = "/page") -> httpx.Response:
    return httpx.get(url + path, headers={"Host": "localhost"}, timeout=PATIENCE, trust_env=False)


def reading(line: socket.socket) -> bytes:
    """All that comes until the other side ends the connection; fails where it never does."""
    found = b""
    try:
        while part := line.recv(65536):
            found += part
    except ConnectionResetError:
        pass
    return found


def test_a_head_has_a_largest_size_also_when_it_never_ends(url: str, routes: Routes) -> None:
    just_fits = HEAD + b"X: " + b"x" * (connections.LARGEST_HEAD - len(HEAD) - 7) + b"\r\n\r\n"
    with open_line(url) as line:
        line.sendall(just_fits)
        assert line.recv(100).startswith(b"HTTP/1.1 200")
    for too_long in (HEAD + b"X: " + b"x" * 40_000, HEAD + b"X: y\r\n" * 9_000 + b"\r\n", b"GET /" + b"a" * 40_000):
        with open_line(url) as line:
            hang(line, too_long)
            assert not reading(line).startswith(b"HTTP/1.1 2")
    assert routes.called == 1


@pytest.mark.parametrize("sent", [b"", b"G", HEAD, b"\r\n\r\n"])
def test_who_completes_no_head_is_let_go(url: str, sent: bytes, hurry: Callable[[], None]) -> None:
    hurry()
    with open_line(url) as line:
        line.sendall(sent)
        assert b"200" not in reading(line)


def test_a_byte_now_and_then_does_not_keep_a_connection(url: str, hurry: Callable[[], None]) -> None:
    hurry()
    with open_line(url) as line, pytest.raises(OSError):
        _drip(line)


def _drip(line: socket.socket) -> None:
    for byte in HEAD * 1000:
        line.sendall(bytes([byte]))
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [b"", b"GET /pa"])
def test_a_connection_that_was_answered_may_not_stay_for_long_either(
    url: str, sent: bytes, hurry: Callable[[], None]
) -> None:
    with open_line(url) as together, open_line(url) as apart:
        together.sendall(HEAD + b"\r\n" + sent)
        apart.sendall(HEAD + b"\r\n")
        assert apart.recv(1000).startswith(b"HTTP/1.1 200")
        apart.sendall(sent)
        hurry()
        assert reading(together).startswith(b"HTTP/1.1 200")
        assert b"HTTP" not in reading(apart)


def test_who_does_not_read_the_answer_is_let_go(url: str, hurry: Callable[[], None]) -> None:
    with open_line(url, room=4096) as line:
        line.sendall(b"GET /long HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(10).startswith(b"HTTP/1.1")
        hurry()
        _until_ended(url)
        assert len(reading(line)) < LONG_ANSWER


def _until_ended(url: str) -> None:
    """Waits, without touching it, until the connection of the test is the only one that the server has lost."""
    port = f":{int(url.rpartition(':')[2]):04X} "
    ends = time.monotonic() + PATIENCE
    while any(port in row.split(None, 2)[1] + " " and " 01 " in row for row in _sockets()):
        assert time.monotonic() < ends
        time.sleep(0.05)


def _sockets() -> list[str]:
    return Path("/proc/net/tcp").read_text().splitlines()[1:]


def test_an_answer_that_takes_long_is_not_cut(url: str, hurry: Callable[[], None]) -> None:
    with httpx.stream("GET", f"{url}/stream", timeout=PATIENCE, trust_env=False) as answer:
        hurry()
        assert answer.read() == b"xxxxx"


def test_when_all_connections_are_taken_the_one_that_has_been_idle_longest_goes(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST_CONNECTIONS", 4)
    with ExitStack() as lines:
        opened = []
        for _ in range(4):  # one after the other: connections that come at once are equally old to the server
            opened.append(lines.enter_context(open_line(url)))
            opened[-1].sendall(HEAD)
            time.sleep(0.05)
        first, *others = opened
        assert get(url).status_code == 200
        assert reading(first) == b""
        others[-1].sendall(b"\r\n")
        assert others[-1].recv(100).startswith(b"HTTP/1.1 200")


def test_too_many_requests_at_once_are_asked_to_come_again_and_probes_are_answered(
    url: str, routes: Routes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "MOST_WAITING", 5)
    with ExitStack() as lines:
        for _ in range(5):
            line = lines.enter_context(open_line(url))
            line.sendall(b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        ends = time.monotonic() + PATIENCE
        while routes.called < 3:
            assert time.monotonic() < ends
            time.sleep(0.01)
        refused = get(url)  # three are worked on, two wait
        assert routes.called == 3
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert get(url, "/healthz").status_code == 200
        routes.may_end.set()
    while get(url).status_code == 503:
        assert time.monotonic() < ends


def test_slow_bodies_take_no_place_from_others_and_the_slowest_goes_when_memory_is_short(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "MOST_HELD", 5 * 100_000)
    monkeypatch.setattr(guard, "BODY_SECONDS", PATIENCE)
    post = b"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    with ExitStack() as lines:
        opened = [lines.enter_context(open_line(url)) for _ in range(6)]
        for line in opened[:5]:
            line.sendall(post + b"x" * 99_000)
        assert get(url).status_code == 200  # five unfinished requests, and three may be worked on
        opened[5].sendall(post + b"x" * 199_999)
        assert reading(opened[0]).startswith(b"HTTP/1.1 408")
        opened[5].sendall(b"x")
        assert opened[5].recv(100).startswith(b"HTTP/1.1 200")


def test_a_body_that_says_that_it_is_too_long_is_not_waited_for(url: str, routes: Routes) -> None:
    with structlog.testing.capture_logs() as said, open_line(url) as line:
        line.sendall(
            b"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + str(LARGEST_BODY + 1).encode() + b"\r\n\r\n"
        )
        assert reading(line).startswith(b"HTTP/1.1 413")
    assert [(one["log_level"], one["most_bytes"]) for one in said] == [("warning", LARGEST_BODY)]
    assert routes.called == 0


@pytest.mark.parametrize("length", [b"9" * 5000, b"-1", b"1e3", b"1, 2", b"0x10"])
def test_a_length_that_is_none_is_refused(url: str, length: bytes, routes: Routes) -> None:
    with open_line(url) as line:
        line.sendall(b"POST /page HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + length + b"\r\n\r\n")
        assert reading(line).startswith(b"HTTP/1.1 4")
    assert routes.called == 0


def test_the_body_is_given_once_and_then_that_the_caller_went(url: str, routes: Routes) -> None:
    with open_line(url) as line:
        line.sendall(b"POST /twice HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab")
        ends = time.monotonic() + PATIENCE
        while not routes.called:
            assert time.monotonic() < ends
            time.sleep(0.01)
        assert routes.second == []
    while not routes.second:
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert routes.second == ["http.request", "http.disconnect"]


def test_with_many_connections_each_waits_its_turn_and_all_are_answered(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "FEW_CONNECTIONS", 0)
    monkeypatch.setattr(connections, "SECONDS_EACH", 0.2)
    with open_line(url) as line:
        began = time.monotonic()
        line.sendall(HEAD + b"\r\n" + HEAD + b"Connection: close\r\n\r\n")
        assert reading(line).count(b"HTTP/1.1 200") == 2
        assert time.monotonic() - began >= 0.2


def test_a_warning_that_a_caller_can_provoke_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    quiet = OncePerMinute(lambda: now[0])

    def passes(event: object, level: int = logging.WARNING) -> bool:
        return quiet.filter(logging.LogRecord("x", level, "", 0, event, None, None))

    assert [passes({"event": "refused", "n": n}) for n in range(3)] == [True, False, False]
    assert passes("another")
    assert all(passes({"event": "refused"}, logging.ERROR) for _ in range(2))
    now[0] = 61.0
    again = {"event": "refused"}
    assert passes(again)
    assert again["unsaid_before"] == 2  # type: ignore[comparison-overlap]


def test_probes_are_answered_while_150_callers_hang_and_memory_stays(tmp_path: Path) -> None:
    with Daemon(tmp_path / "data", {"CREW_MEMORY__EMBEDDING": "none"}, CREW) as daemon, ExitStack() as lines:
        before = memory_of(daemon.process.pid)
        for number in range(150):
            hang(lines.enter_context(open_line(daemon.url)), ways_to_hang()[number % len(ways_to_hang())])
        for path in ("/healthz", "/readyz", "/"):
            assert daemon.get(path).status_code == 200, daemon.log()
        assert memory_of(daemon.process.pid) - before < 20
