"""Host names, tokens and body sizes, over a real server."""

from __future__ import annotations

import base64
import socket
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from opscrew.errors import UsageError
from opscrew.settings import HttpSettings
from server.http import guard
from server.http.guard import LARGEST_BODY, LARGEST_TRUSTED_BODY, Guard, Rules
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
