"""`crew mcp` as a program, over the sandbox's Bitbucket."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from demo.bitbucket.world import TOKEN
from tests.support.bitbucket import Sandbox, sandbox
from tests.support.crew_command import CrewCommand, Ran
from tests.support.daemon import until
from tests.support.hanging import hang, open_line, ways_to_hang

ROOT = Path(__file__).resolve().parents[2]
CTRL_C_COUNTS = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, sys.argv.pop(1))
import main
main.program()
"""


@dataclass
class Setup:
    box: Sandbox
    crew: CrewCommand
    environment: dict[str, str]

    def json(self, *arguments: str) -> list[dict[str, object]]:
        ran = self.crew("mcp", *arguments, "--json")
        return [json.loads(line) for line in ran.out.splitlines()]

    def call(self, tool: str, *more: str, **arguments: str) -> Ran:
        return self.crew("mcp", "call", "bitbucket", tool, json.dumps(arguments), *more)


@pytest.fixture
def setup(monkeypatch, capsys, tmp_path) -> Iterator[Setup]:
    import_module("mcp.server.lowlevel")  # seconds on a busy machine, which must not count against a server's start
    with sandbox() as box:
        box.world.add_repository("shop")
        box.world.push("shop", "failing")
        box.clock.forward(minutes=30)
        environment = {
            "CREW_BITBUCKET__URL": f"{box.url}/2.0",
            "CREW_BITBUCKET__WORKSPACE": "acme",
            "CREW_BITBUCKET__TOKEN": TOKEN,
            "CREW_DATA_DIR": str(tmp_path / "data"),
        }
        monkeypatch.chdir(tmp_path)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Setup(box, CrewCommand(monkeypatch, capsys), environment)


def test_list_names_every_server_and_a_broken_one_costs_only_itself(setup, monkeypatch) -> None:
    monkeypatch.setenv("CREW_MCP__URLS", json.dumps({"grafana": "http://127.0.0.1:9/mcp"}))
    states = {state["name"]: state for state in setup.json("list")}
    assert states["bitbucket"]["condition"] == "ready"
    assert states["grafana"]["condition"] == "down"
    assert states["victoriametrics"]["condition"] == "off"
    assert "victoriametrics.url" in str(states["victoriametrics"]["detail"])
    assert setup.crew("mcp", "list", "--no-start").code == 0


def test_tools_shows_what_trimming_saves_and_what_a_role_sees(setup) -> None:
    shown = setup.crew("mcp", "tools", "bitbucket", "--tokens")
    assert "13 tools, about" in shown.out
    role = setup.json("tools", "--role", "ci_engineer")
    assert len(role) == 8
    assert not any(tool["mutates"] for tool in role)
    assert setup.crew("mcp", "tools", "--role", "nobody").code == 1
    assert setup.crew("mcp", "tools", "grafana").code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("tools", "bitbucket", "--role", "sre"), "do not go together"),
        (("tools", "--all"), "--all needs a server"),
        (("serve", "--port", "5"), "are for --http"),
        (("call", "bitbucket", "get_pipeline", "[" * 50_000), "not JSON"),
        (("call", "bitbucket", "get_pipeline", "[1]"), "must be a JSON object"),
    ],
)
def test_what_cannot_be_meant_is_written_wrongly(setup, arguments, words) -> None:
    ran = setup.crew("mcp", *arguments)
    assert (ran.code, words in ran.err) == (2, True), ran.err


def test_a_role_whose_servers_are_off_is_told_so(setup) -> None:
    assert "None of the servers that sre uses is configured" in setup.crew("mcp", "tools", "--role", "sre").out


def test_two_programs_that_serve_at_one_port_are_told_apart(setup) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ran = setup.crew("mcp", "serve", "--http", "--port", str(taken.getsockname()[1]))
    assert (ran.code, "--port" in ran.err) == (1, True), ran.err


def test_ctrl_c_ends_a_list_that_waits_for_a_server(setup, tmp_path) -> None:
    program = ROOT / "tests/support/mcp_program.py"
    servers = tmp_path / "servers.yaml"
    servers.write_text(
        f"slow:\n  title: Slow\n  command: ['{sys.executable}', '{program}', '{tmp_path}', silent]\n"
        "  tools: {echo: }\n  start_seconds: 120\n"
    )
    process = subprocess.Popen(
        # A program that a shell starts in the background ignores SIGINT unless it says otherwise.
        [sys.executable, "-c", CTRL_C_COUNTS, str(ROOT), "mcp", "list"],
        env={"PATH": os.environ["PATH"], "CREW_MCP__SERVERS": str(servers), **setup.environment},
        cwd=tmp_path,
        stderr=subprocess.DEVNULL,
    )
    try:
        until((tmp_path / "notes").exists)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    finally:
        process.kill()
        process.wait()


def test_without_any_server_tools_says_where_to_look(monkeypatch, capsys, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "crew mcp list" in CrewCommand(monkeypatch, capsys)("mcp", "tools").out


def test_call_shows_the_answer_and_fails_with_words(setup) -> None:
    listed = setup.call("list_steps", repository="shop", pipeline="1")
    assert listed.code == 0
    assert "FAILED" in listed.out
    logged = setup.call("get_step_log", repository="shop", pipeline="1", step="1", mode="explained")
    assert logged.code == 0
    assert logged.out.strip()
    wrong = setup.call("get_pipeline", repository="shop", pipeline="99")
    assert wrong.code == 1
    assert wrong.err.strip()
    assert setup.crew("mcp", "call", "bitbucket", "get_pipeline", "{").code == 2
    assert setup.crew("mcp", "call", "nobody", "get_pipeline").code == 1


def test_a_wish_to_run_again_becomes_a_proposal_and_nothing_is_sent(setup) -> None:
    wish = {"repository": "shop", "pipeline": "1", "reason": "the registry was down; token=hunter2hunter2"}
    assert setup.call("rerun_pipeline", **wish).code == 1
    proposed = setup.call("rerun_pipeline", "--allow-changes", **wish)
    assert proposed.code == 0, proposed.err
    assert "waiting" in proposed.out
    again = setup.call("rerun_pipeline", "--allow-changes", **wish)
    assert again.out == proposed.out
    actions = setup.crew("actions", "list", "--json").out.splitlines()
    assert len(actions) == 1
    assert "asked for through MCP" in actions[0]
    assert "hunter2hunter2" not in actions[0]
    assert len(setup.box.world.repositories["shop"].runs) == 1


def test_a_finished_build_cannot_be_proposed_for_stopping(setup) -> None:
    stopped = setup.call("stop_pipeline", "--allow-changes", repository="shop", pipeline="1", reason="it is too slow")
    assert stopped.code == 1
    assert "already ended" in stopped.err


def test_serve_over_http_asks_for_a_token_beyond_this_machine(setup) -> None:
    refused = setup.crew("mcp", "serve", "--http", "--host", "0.0.0.0")
    assert refused.code == 2
    assert "no token is set" in refused.err


def test_serve_over_standard_output_speaks_the_protocol_alone(setup, tmp_path) -> None:
    hello = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    }
    messages = [
        hello,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "mcp", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], **setup.environment},
        cwd=tmp_path,
        text=True,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(json.dumps(one) + "\n" for one in messages))
        process.stdin.flush()
        answers = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.wait(60) == 0
        assert process.stdout.read() == ""
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()
    assert answers[0]["result"]["serverInfo"]["name"] == "opscrew-bitbucket"
    assert len(answers[1]["result"]["tools"]) == 13


def test_serve_over_http_answers_at_mcp(setup, tmp_path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), "mcp", "serve", "--http", "--port", "0"],
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "CREW_MCP__TOKEN": "callers-token", **setup.environment},
        cwd=tmp_path,
        text=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert "serving bitbucket at http://127.0.0.1:" in line
        url = line.split(" at ")[1].strip()
        deadline = time.monotonic() + 60
        status = 0
        while status == 0 and time.monotonic() < deadline:
            try:
                status = httpx.post(url, json={}, timeout=60, trust_env=False).status_code
            except httpx.TransportError:
                time.sleep(0.1)
        assert status == 401
        headers = {"Authorization": "Bearer callers-token"}
        assert httpx.post(url, json={}, headers=headers, timeout=60, trust_env=False).status_code in (400, 406)
        host = {"Host": "evil.example"}
        assert httpx.post(url, json={}, headers=host, timeout=60, trust_env=False).status_code == 421
        with ExitStack() as lines:
            address = url.removesuffix("/mcp")
            for number in range(150):
                hang(lines.enter_context(open_line(address)), ways_to_hang()[number % len(ways_to_hang())])
            assert httpx.get(f"{address}/healthz", timeout=60, trust_env=False).status_code == 200
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()
