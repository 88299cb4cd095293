"""Our MCP server for Bitbucket over real HTTP, and over the gateway, against the sandbox."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import jsonschema
import pytest

from crews.mcp.bitbucket import _explained
from demo.serving import serve
from opscrew.redaction import redact
from tests.support.bitbucket import Sandbox, sandbox
from tools.bitbucket.mcp_server import Wiring, build_server
from tools.bitbucket.mcp_shapes import Proposal, ProposalArguments
from tools.mcp.serving import http_app

TOKEN = "token-of-callers"


def no_secrets(text: str) -> str:
    return text.replace("hunter2", "[x]")


@contextmanager
def world(*fates: str) -> Iterator[Sandbox]:
    with sandbox() as box:
        box.world.add_repository("shop")
        for fate in fates:
            box.world.push("shop", fate)
            box.clock.forward(minutes=20)
        yield box


@contextmanager
def served(box: Sandbox, **wiring: Any) -> Iterator[str]:
    with box.client() as client:
        server = build_server(Wiring(client, no_secrets, **wiring))
        with serve(http_app(server, token=TOKEN)) as url:
            yield f"{url}/mcp"


def with_session(url: str, work: Callable[[Any], Any]) -> Any:
    """Runs ``work`` with a session of the official SDK."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def main() -> Any:
        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60, trust_env=False) as http,
            streamable_http_client(url, http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await work(session)

    return asyncio.run(main())


def answer(url: str, tool: str, **arguments: Any) -> Any:
    return with_session(url, lambda session: session.call_tool(tool, arguments))


def test_a_failed_build_from_list_to_log() -> None:
    with world("passing", "failing") as box, served(box, explain=lambda log, budget: [(7, "E  assert 1 == 2")]) as url:

        async def look(session: Any) -> list[Any]:
            failed = await session.call_tool("list_pipelines", {"repository": "shop", "status": "FAILED"})
            number = str(failed.structuredContent["pipelines"][0]["build_number"])
            of = {"repository": "shop", "pipeline": number}
            steps = await session.call_tool("list_steps", of)
            step = next(one for one in steps.structuredContent["steps"] if one["result"] == "FAILED")
            logs = [
                await session.call_tool("get_step_log", of | {"step": step["name"]} | more)
                for more in ({}, {"mode": "grep", "pattern": "(?i)error|fail", "lines": 5}, {"mode": "explained"})
            ]
            reports = await session.call_tool("get_test_reports", of | {"step": step["uuid"]})
            commits = await session.call_tool("list_commits", of)
            return [failed, steps, *logs, reports, commits]

        answers = with_session(url, look)
    for one in answers:
        assert not one.isError
        assert json.loads(one.content[0].text) == one.structuredContent
    failed, _, tail, grep, explained, _, commits = (one.structuredContent for one in answers)
    assert [one["result"] for one in failed["pipelines"]] == ["FAILED"]
    assert len(tail["lines"]) > 5
    assert 1 <= len(grep["lines"]) <= 5
    assert all(line["number"] for line in grep["lines"])
    assert explained["lines"] == [{"number": 7, "text": "E  assert 1 == 2"}]
    assert commits["since"] == "#1"


def test_every_tool_has_hints_and_shapes_in_a_fixed_order() -> None:
    def wish(given: ProposalArguments) -> Proposal:
        return Proposal(action="a1", state="waiting", note=given.reason)

    with world() as box, served(box, propose_rerun=wish, propose_stop=wish) as url:
        first, second = (with_session(url, lambda session: session.list_tools()).tools for _ in range(2))
        proposed = answer(url, "rerun_pipeline", repository="shop", pipeline="1", reason="the network was down")
    assert [tool.name for tool in first] == [tool.name for tool in second]
    assert len(first) == 13
    for tool in first:
        hints = tool.annotations
        assert None not in (hints.readOnlyHint, hints.destructiveHint, hints.idempotentHint, hints.openWorldHint)
        assert hints.readOnlyHint == (tool.name not in ("rerun_pipeline", "stop_pipeline"))
        jsonschema.Draft202012Validator.check_schema(tool.inputSchema)
        jsonschema.Draft202012Validator.check_schema(tool.outputSchema)
    assert proposed.structuredContent == {"action": "a1", "state": "waiting", "note": "the network was down"}


def test_without_wiring_nothing_can_be_changed() -> None:
    with world("failing") as box, served(box) as url:
        names = [tool.name for tool in with_session(url, lambda session: session.list_tools()).tools]
        refused = answer(url, "rerun_pipeline", repository="shop", pipeline="1", reason="a long reason")
    assert "rerun_pipeline" not in names
    assert refused.isError


def test_pages_follow_each_other_although_new_pipelines_arrive() -> None:
    with world(*["passing"] * 7) as box, served(box) as url:
        numbers: list[int] = []
        cursor = ""
        for page in range(10):
            found = answer(url, "list_pipelines", repository="shop", limit=3, cursor=cursor).structuredContent
            numbers += [one["build_number"] for one in found["pipelines"]]
            if page == 0:
                box.world.push("shop", "passing")
            cursor = found["next_cursor"]
            if not cursor:
                break
    assert numbers == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("get_pipeline", {"repository": "nothing-here", "pipeline": "1"}, "not"),
        ("get_pipeline", {"repository": "shop"}, "get_pipeline takes: repository, pipeline"),
        ("get_pipeline", {"repository": "shop", "pipeline": "../../etc"}, "pipeline:"),
        ("get_step_log", {"repository": "shop", "pipeline": "1", "step": "Nope"}, "Its steps are: 1 "),
        ("get_step_log", {"repository": "shop", "pipeline": "1", "step": "1", "mode": "grep"}, "needs a pattern"),
        (
            "get_step_log",
            {"repository": "shop", "pipeline": "1", "step": "1", "mode": "grep", "pattern": "(?=x)"},
            "RE2",
        ),
        ("list_pipelines", {"repository": "shop", "cursor": "rubbish"}, "Ask without a cursor"),
        ("no_such_tool", {}, "There are: list_repositories"),
    ],
)
def test_a_mistake_is_told_with_what_to_do_next(tool, arguments, words) -> None:
    with world("passing") as box, served(box) as url:
        result = answer(url, tool, **arguments)
    assert result.isError
    assert words in result.content[0].text


def test_a_cursor_counts_for_its_own_question_alone() -> None:
    made_up = base64.urlsafe_b64encode(b"5 {00000000-0000-0000-0000-000000000000}").decode().rstrip("=")
    with world(*["passing"] * 4) as box, served(box) as url:
        box.world.add_repository("other")
        first = answer(url, "list_pipelines", repository="shop", limit=2).structuredContent["next_cursor"]
        wrong = [
            answer(url, "list_pipelines", repository="other", cursor=first),
            answer(url, "list_pipelines", repository="shop", branch="main", cursor=first),
            answer(url, "list_deployments", repository="shop", cursor=first),
            answer(url, "list_pipelines", repository="shop", cursor=made_up),
            answer(url, "list_pipelines", repository="shop", cursor="ü"),
        ]
        right = answer(url, "list_pipelines", repository="shop", limit=1, cursor=first).structuredContent
    assert [(one.isError, "Ask without a cursor" in one.content[0].text) for one in wrong] == [(True, True)] * 5
    assert [one["build_number"] for one in right["pipelines"]] == [2]


def test_two_steps_of_one_name_are_told_apart_by_position() -> None:
    with world("failing") as box, served(box) as url:
        run = box.world.repositories["shop"].runs[0]
        run.steps = tuple(replace(step, script=step.script.model_copy(update={"name": "Test"})) for step in run.steps)
        of = {"repository": "shop", "pipeline": "1"}
        unclear = answer(url, "get_step_log", **of, step="test")
        failed = next(
            str(one["position"])
            for one in answer(url, "list_steps", **of).structuredContent["steps"]
            if one["result"] == "FAILED"
        )
        clear = answer(url, "get_step_log", **of, step=failed)
    assert unclear.isError
    assert f"has {len(run.steps)} steps called 'test'" in unclear.content[0].text
    assert f"{failed} Test FAILED" in unclear.content[0].text
    assert not clear.isError


KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEerror\nAAAA==\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize("mode", [{"mode": "tail"}, {"mode": "grep", "pattern": "."}, {"mode": "explained"}])
def test_a_private_key_in_a_log_stays_there_in_every_mode(monkeypatch, mode) -> None:
    log = f"start\rworking\n{KEY}\nError: it failed\x0c again\nlast line\n".encode()
    monkeypatch.setattr("demo.bitbucket.log_files.build_log", lambda *_: log)
    with world("failing") as box, box.client() as client:
        server = build_server(Wiring(client, redact, explain=_explained))
        with serve(http_app(server, token=TOKEN)) as url:
            of = {"repository": "shop", "pipeline": "1", "step": "1"}
            lines = answer(f"{url}/mcp", "get_step_log", **of, **mode).structuredContent["lines"]
    assert "MIIE" not in json.dumps(lines)
    assert "AAAA" not in json.dumps(lines)
    assert [line["number"] for line in lines if "it failed" in line["text"]] == [6]
    assert [line["number"] for line in lines if "last line" in line["text"]] == [7]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 421),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "http://localhost:3000"}, 200),
    ],
)
def test_the_door(headers, status) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    accept = {"Accept": "application/json, text/event-stream"}
    with world() as box, served(box) as url:
        assert httpx.post(url, json=hello, headers=accept | headers, timeout=60, trust_env=False).status_code == status


def test_secrets_in_a_log_stay_inside_and_the_json_stays_whole() -> None:
    lines = [(1, 'password "hunter2"'), (2, "more")]
    with world("failing") as box, served(box, explain=lambda log, budget: lines) as url:
        result = answer(url, "get_step_log", repository="shop", pipeline="1", step="1", mode="explained")
    assert result.structuredContent["lines"][0]["text"] == 'password "[x]"'
    assert "hunter2" not in result.content[0].text
