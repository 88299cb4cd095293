"""Host names, tokens and body sizes, over a real server."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from opscrew.errors import UsageError
from opscrew.settings import HttpSettings
from server.http import guard
from server.http.guard import LARGEST_BODY, LARGEST_TRUSTED_BODY, MOST_WAITING, Guard, Rules
from server.http.hosts import expected_hosts, is_expected, refuse_open_door
from server.http.serving import HttpThread, bind, url_of

TOKEN = "a token with ümlaut"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    application = Starlette(routes=[Route("/{rest:path}", echo, methods=["GET", "POST"])])
    rules = Rules(
        frozenset({"localhost"}),
        TOKEN,
        without_token=("/healthz", "/large"),
        any_host=("/healthz",),
        large_bodies={"/large": TOKEN},
    )
    listener = bind("127.0.0.1", 0)
    with HttpThread(Guard(application, rules), listener):
        yield url_of(listener)


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("", 401),
        ("Bearer", 401),
        ("Bearer wrong", 401),
        ("Basic !!!", 401),
        (basic("wrong"), 401),
        (f"Token {TOKEN}", 401),
        (f"Bearer {TOKEN}", 200),
        (f"bearer {TOKEN}", 200),
        (basic(TOKEN), 200),
    ],
)
def test_the_token(url: str, authorization: str, status: int) -> None:
    headers = {b"Authorization": authorization.encode()} if authorization else {}
    answer = httpx.get(f"{url}/page", headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_probes_need_neither_token_nor_name(url: str) -> None:
    answer = httpx.get(f"{url}/healthz", headers={"Host": "pod-7.example"}, timeout=60, trust_env=False)
    assert answer.status_code == 200


def test_a_foreign_host_name_is_refused(url: str) -> None:
    headers = {b"Host": b"evil.example", b"Authorization": f"Bearer {TOKEN}".encode()}
    answer = httpx.get(f"{url}/page", headers=headers, timeout=60, trust_env=False)
    assert answer.status_code == 421
    assert "http.hosts" in answer.text


def test_bodies_have_a_limit_told_or_not(url: str) -> None:
    def chunks(total: int) -> Iterator[bytes]:
        for _ in range(total // 1024):
            yield b"x" * 1024

    def post(content: object) -> int:
        answer = httpx.post(f"{url}/healthz", content=content, timeout=60, trust_env=False)  # type: ignore[arg-type]
        return answer.status_code

    assert post(b"x" * LARGEST_BODY) == 200
    assert post(b"x" * (LARGEST_BODY + 1)) == 413
    assert post(chunks(LARGEST_BODY)) == 200
    with suppress(httpx.WriteError):  # the server may close while we are still sending, which is as good a refusal
        assert post(chunks(LARGEST_BODY + 4096)) == 413


def test_a_long_body_is_taken_from_who_shows_the_token(url: str) -> None:
    def post(path: str, length: int, token: str) -> int:
        headers = {b"Authorization": f"Bearer {token}".encode()}
        return httpx.post(
            f"{url}{path}", content=b"x" * length, headers=headers, timeout=60, trust_env=False
        ).status_code

    assert post("/large", LARGEST_BODY + 1, TOKEN) == 200
    assert post("/large", LARGEST_BODY + 1, "another") == 413
    assert post("/page", LARGEST_BODY + 1, TOKEN) == 413
    with suppress(httpx.WriteError):
        assert post("/large", LARGEST_TRUSTED_BODY + 1, TOKEN) == 413


def test_a_body_that_never_ends_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "BODY_SECONDS", 0.3)
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as line:
        line.sendall(b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc")
        assert line.recv(1000).startswith(b"HTTP/1.1 408")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("localhost", True),
        ("LOCALHOST:8780", True),
        ("127.0.0.1:8780", True),
        ("[::1]:8780", True),
        ("10.0.0.7", True),
        ("crew.example.org", True),
        ("", False),
        ("evil.example", False),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example:80", False),
    ],
)
def test_host_names(header: str, expected: bool) -> None:
    assert is_expected(header, expected_hosts(HttpSettings(hosts=("Crew.example.org",)))) is expected


@pytest.mark.parametrize(
    ("host", "token", "refused"),
    [
        ("127.0.0.1", None, False),
        ("::1", None, False),
        ("localhost", None, False),
        ("0.0.0.0", None, True),
        ("::", None, True),
        ("192.168.1.5", None, True),
        ("crew.internal", None, True),
        ("0.0.0.0", "a token", False),
    ],
)
def test_an_open_door_needs_a_token(host: str, token: str | None, refused: bool) -> None:
    http = HttpSettings.model_validate({"host": host, "token": token})
    if refused:
        with pytest.raises(UsageError, match="no token is set"):
            refuse_open_door(http)
    else:
        refuse_open_door(http)


async def answered(guarded: Guard, *headers: tuple[bytes, bytes]) -> tuple[int, list[tuple[bytes, bytes]]]:
    """Status and headers of one request that reaches the guard as it is, past a server that would mend or refuse it."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/page", "query_string": b"", "headers": list(headers)}
    await guarded(scope, receive, send)
    return sent[0]["status"], sent[0]["headers"]


LOCAL = (b"host", b"localhost")


async def says_hello(scope: Any, receive: Any, send: Any) -> None:
    own = [(b"content-type", b"text/plain"), (b"cache-control", b"max-age=60")]
    await send({"type": "http.response.start", "status": 200, "headers": own})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.mark.parametrize("length", [b"x", b"", b"-1", b"1.5", b"\xb2", b"999999999"])
def test_a_length_that_is_no_number_of_bytes_within_the_limit_is_refused(length: bytes) -> None:
    guarded = Guard(says_hello, Rules(frozenset({"localhost"}), ""))
    assert asyncio.run(answered(guarded, LOCAL, (b"content-length", length)))[0] == 413


def test_every_answer_carries_the_headers_of_safety_and_keeps_its_own() -> None:
    guarded = Guard(says_hello, Rules(frozenset({"localhost"}), ""))
    status, headers = asyncio.run(answered(guarded, LOCAL))
    assert status == 200
    assert dict(headers) == {
        b"content-type": b"text/plain",
        b"cache-control": b"max-age=60",
        b"x-content-type-options": b"nosniff",
        b"x-frame-options": b"DENY",
        b"referrer-policy": b"no-referrer",
        b"content-security-policy": b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    }
    assert len(headers) == 6, "none is sent twice"


def test_what_is_too_much_at_once_is_asked_to_come_again_and_places_are_given_back() -> None:
    """Twice, since a place that is given back twice would let more in the second time."""

    async def both_times() -> list[int]:
        door = asyncio.Event()

        async def waits(scope: Any, receive: Any, send: Any) -> None:
            await door.wait()
            await says_hello(scope, receive, send)

        guarded = Guard(waits, Rules(frozenset({"localhost"}), "", most_requests=2))
        refused = []
        for _ in range(2):
            door.clear()
            waiting = [asyncio.create_task(answered(guarded, LOCAL)) for _ in range(MOST_WAITING)]
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            status, headers = await answered(guarded, LOCAL)
            assert dict(headers)[b"retry-after"] == b"5"
            refused.append(status)
            door.set()
            assert {status for status, _ in await asyncio.gather(*waiting)} == {200}
        return refused

    assert asyncio.run(both_times()) == [503, 503]


def test_the_limits_are_the_documented_ones() -> None:
    assert (LARGEST_BODY, LARGEST_TRUSTED_BODY, MOST_WAITING) == (524_288, 16_777_216, 64)
