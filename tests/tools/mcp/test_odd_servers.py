"""Servers that answer oddly: each costs at most its own answer, says why in a few words, and gives no secret away."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.support.mcp_odd_program import SCHEMAS
from tools.errors import UpstreamError
from tools.mcp import bounded
from tools.mcp.gateway import Gateway
from tools.mcp.servers import ServerEntry, resolve

PROGRAM = Path(__file__).resolve().parents[2] / "support" / "mcp_odd_program.py"
TOKEN = "a-token-of-no-shape"


def gateway(oddity: str, **changes: object) -> Gateway:
    values = {
        "title": "odd",
        "command": [sys.executable, str(PROGRAM), oddity],
        "environment": {"ODD_TOKEN": TOKEN},
        "tools": {"echo": None},
        "timeout_seconds": 60,
        "start_seconds": 60,
    } | changes
    entry = ServerEntry.model_validate(values)
    return Gateway([resolve("odd", entry, lambda name: None)], clean=lambda text: text.replace(TOKEN, "[x]"))


@pytest.mark.parametrize("oddity", SCHEMAS)
def test_a_schema_that_is_none_or_endless_makes_a_small_tool_that_works(oddity: str) -> None:
    with gateway(oddity) as opened:
        (tool,) = opened.tools("odd")
        assert tool.parameters["type"] == "object"
        assert tool.tokens < 1_200
        assert opened.call("odd", "echo", {"a": "x"}).text == "ok"


def test_a_parameter_that_is_required_stays_among_thousands() -> None:
    with gateway("thousands of parameters") as opened:
        (tool,) = opened.tools("odd")
    assert "p1999" in tool.parameters["properties"]
    assert tool.parameters["required"] == ["p1999"]


def test_of_two_tools_with_one_name_the_first_is_offered() -> None:
    with gateway("two of one name") as opened:
        (tool,) = opened.tools("odd")
    assert tool.description == "First."


@pytest.mark.parametrize(("oddity", "served"), [("thousands of tools", 5_001), ("pages without end", 1)])
def test_a_list_of_any_length_ends(oddity: str, served: int) -> None:
    with gateway(oddity) as opened:
        assert [tool.name for tool in opened.tools("odd")] == ["echo"]
        assert opened.state("odd").served == served


@pytest.mark.parametrize(
    ("oddity", "words"),
    [
        ("ten megabytes of rows", "of 100000 rows left out"),
        ("ten megabytes in a line", "characters left out"),
        ("brackets", "characters left out"),
        ("numbers that are none", "abc"),
        ("half a character", "before ? after"),
        ("controls", "red turned"),
        ("many letters", "Gr\u00fc\u00dfe \u65e5\u672c \U0001f680"),
        ("a resource", "the useful text\n(image left out)"),
    ],
)
def test_an_odd_result_is_shown_as_far_as_it_can_be(oddity: str, words: str) -> None:
    with gateway(oddity) as opened:
        found = opened.call("odd", "echo", {})
    assert (found.status, words in found.text) == ("ok", True), found.text
    assert len(found.text) < 3_200
    assert found.text.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("oddity", "words"),
    [
        ("twenty megabytes", "sent more than 16777216 bytes at once"),
        ("no content", "gave an answer that is none in MCP"),
        ("half an answer", "ended with code 4"),
        ("a greeting that is none", "gave an answer that is none in MCP"),
    ],
)
def test_an_answer_that_is_none_is_told_in_words(oddity: str, words: str) -> None:
    with gateway(oddity) as opened:
        found = opened.call("odd", "echo", {})
    assert (found.status, words in found.text) == ("error", True), found.text


@pytest.mark.parametrize("oddity", ["ends with a token", "refuses the list"])
def test_a_server_that_repeats_its_token_gives_it_to_nobody(oddity: str) -> None:
    with gateway(oddity) as opened:
        for ask in (opened.tools, opened.unlisted):
            with pytest.raises(UpstreamError) as raised:
                ask("odd")
            assert "[x]" in raised.value.message
            assert TOKEN not in str(raised.value)
            assert raised.value.__cause__ is None
            assert len(raised.value.message) < 700
            assert "\n" not in raised.value.message
        said = opened.call("odd", "echo", {}).text + opened.state("odd").detail
    assert TOKEN not in said


def test_what_would_bring_secrets_here_is_never_asked_for() -> None:
    tools = {"echo": {"refused": {"kind": ["Secret"]}}}
    with gateway("nothing", tools=tools) as opened:
        for kind in ("Secret", "secret", " secrets "):
            found = opened.call("odd", "echo", {"kind": kind}, allow_changes=True)
            assert (found.status, "is not asked for kind" in found.text) == ("error", True)
        assert opened.call("odd", "echo", {"kind": "SecretStore"}).text == "ok"
        assert opened.call("odd", "echo", {}).text == "ok"


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pieces: bytes) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            yield piece


async def read(kind: str, *pieces: bytes) -> int:
    response = httpx.Response(200, headers={"content-type": kind}, stream=Pieces(*pieces))
    await bounded.bound(response)
    return sum([len(piece) async for piece in response.aiter_raw()])


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_answer_without_end_breaks_off_but_a_stream_of_events_may_go_on(monkeypatch, anyio_backend) -> None:
    monkeypatch.setattr(bounded, "LONGEST_MESSAGE", 100)
    events = [b"data: " + b"x" * 60 + b"\n"] * 50
    assert await read("text/event-stream; charset=utf-8", *events) == 50 * 67
    for kind, pieces in (("application/json", events), ("text/event-stream", [b"x" * 60] * 2)):
        with pytest.raises(httpx.ReadError):
            await read(kind, *pieces)
