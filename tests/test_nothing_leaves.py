"""Nothing leaves the machine, and HOME stays the person's: seen in the system calls of every command and job.

Python's own hooks are not enough: a native library looks up hosts and writes files without asking Python.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from crews.runtime.registry import CREWS
from demo.bitbucket.app import create_app as bitbucket_app
from demo.bitbucket.hour import furnish, play
from demo.bitbucket.world import TOKEN, World
from demo.clock import FastClock
from demo.ollama.app import create_app as ollama_app
from demo.ollama.script import Script
from demo.serving import serve
from opscrew.library_switches import SWITCHES, set_library_switches
from tests.support.daemon import until
from tests.support.http_answers import http_answers, value
from tests.support.kubernetes_api import kubernetes_api
from tests.support.metrics_answers import MetricsTable
from tests.support.system_calls import PATIENCE, Server, Watched, need_strace, watch

ROOT = Path(__file__).resolve().parents[1]

ONE_AFTER_ANOTHER = """
import json, sys, main
for command in json.loads(sys.argv[1]):
    sys.argv = ["crew", *command]
    try:
        main.program()
    except SystemExit as ended:
        print("ENDED", command[0], ended.code, flush=True)
"""

OFTEN = {crew.name for crew in CREWS} - {"housekeeping"}
"""What the schedule runs right after a start; ``crew run`` does the rest in the other test."""

HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
}
READY = {"jsonrpc": "2.0", "method": "notifications/initialized"}
LIST = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}

QUESTIONS = ("why did payments fail?", "how do I fix a full disk?")


@dataclass(frozen=True)
class Place:
    """A folder with a home, a data folder and the settings of a small world on loopback."""

    folder: Path
    environment: dict[str, str]

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def forget_runs(self) -> None:
        database = self.folder / "data" / "crew.db"
        if database.is_file():
            with closing(sqlite3.connect(database)) as db:
                db.execute("DELETE FROM runs")
                db.commit()

    def jobs_that_ran(self) -> set[str]:
        with (
            suppress(sqlite3.Error),
            closing(sqlite3.connect(f"file:{self.folder}/data/crew.db?mode=ro", uri=True)) as db,
        ):
            return {row[0] for row in db.execute("SELECT DISTINCT crew FROM runs")}
        return set()

    def check(self, seen: Watched) -> None:
        assert seen.calls, "nothing was watched"
        assert seen.left == []
        assert sorted(self.home.rglob("*")) == []
        assert sorted((self.folder / "temporary").rglob("*")) == []
        assert seen.written(besides=[self.folder / "data", self.folder / "temporary"]) == []


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One for all: whoever comes first converts the embedding model and makes the index."""
    need_strace()
    tmp_path = tmp_path_factory.mktemp("place")
    clock = FastClock(datetime.now(UTC), speed=1)
    world = World(clock)
    furnish(world)
    for minute in range(6):
        play(world, minute)
    with ExitStack() as stack:
        cluster = stack.enter_context(kubernetes_api())
        answers = stack.enter_context(http_answers())
        MetricsTable().serve_on(answers)
        answers.by_path |= {
            "/api/v2/alerts": value([]),
            "/api/v2/silences": value([]),
            "/api/v2/status": value({"versionInfo": {"version": "0.31.1"}}),
        }
        script = Script()
        config = {
            "bitbucket": {"url": stack.enter_context(serve(bitbucket_app(world))) + "/2.0", "workspace": "acme"},
            "kubernetes": [{"name": "prod", "kubeconfig": str(cluster.kubeconfig(tmp_path))}],
            "victoriametrics": {"url": answers.url},
            "alertmanager": {"url": answers.url},
            "model": {"name": f"ollama_chat/{script.model}", "url": stack.enter_context(serve(ollama_app(script)))},
            "http": {"port": 0},
        }
        (tmp_path / "crew.yaml").write_text(json.dumps(config))
        for folder in ("home", "temporary"):
            (tmp_path / folder).mkdir()
        yield Place(
            tmp_path,
            {
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path / "home"),
                "TMPDIR": str(tmp_path / "temporary"),
                "PYTHONPATH": str(ROOT),
                "PYTHONDONTWRITEBYTECODE": "1",
                "CREW_DATA_DIR": str(tmp_path / "data"),
                "CREW_CONFIG": str(tmp_path / "crew.yaml"),
                "CREW_BITBUCKET__TOKEN": TOKEN,
                # What a person may have set for other programs does not count.
                "ORT_DISABLE_TELEMETRY": "0",
                "CREWAI_DISABLE_TELEMETRY": "false",
                "ANONYMIZED_TELEMETRY": "True",
            },
        )


def test_no_command_and_no_job_speaks_to_another_machine(place: Place) -> None:
    """In one process, since importing everything costs seconds each time; ``doctor`` ends it in its own way."""
    commands = [
        *(["ask", question] for question in QUESTIONS),
        ["chat"],
        ["knowledge", "search", "disk", "full"],
        ["mcp", "list"],
        ["demo"],
        *(["run", crew.name] for crew in CREWS),
        ["doctor"],
    ]
    typed = "\n".join((*QUESTIONS, "/quit", ""))
    seen = watch(place.folder, ["-c", ONE_AFTER_ANOTHER, json.dumps(commands)], place.environment, typed)
    ended = [line.split()[1:] for line in seen.out.splitlines() if line.startswith("ENDED")]
    assert ended == [[command[0], "0"] for command in commands[:-1]], seen.out
    for library in ("onnxruntime", "chromadb_rust_bindings", "crewai/", "litellm/"):
        assert any(library in call for call in seen.calls), f"{library} was not imported"
    place.check(seen)


def test_the_daemon_and_its_jobs_speak_to_no_other_machine(place: Place) -> None:
    place.forget_runs()
    with Server(place.folder, [str(ROOT / "main.py"), "serve"], place.environment) as daemon:
        until(lambda: place.jobs_that_ran() >= OFTEN, lambda: (OFTEN, place.jobs_that_ran()), seconds=PATIENCE)
        seen = daemon.end()
    assert seen.code == 0, seen.out
    place.check(seen)


@pytest.mark.parametrize("transport", [[], ["--http", "--port", "0"]])
def test_our_mcp_server_speaks_to_no_other_machine(transport: list[str], place: Place) -> None:
    arguments = [str(ROOT / "main.py"), "mcp", "serve", *transport]
    with Server(place.folder, arguments, place.environment) as server:
        if transport:
            assert server.process.stdout is not None
            address = server.process.stdout.readline().split(" at ")[1].strip()
            until(lambda: _answers(address))
            seen = server.end()
        else:
            assert "list_repositories" in _ask_for_its_tools(server.process)
            seen = server.end(number=0)
    assert seen.code in (0, -signal.SIGTERM), seen.out
    place.check(seen)


def _ask_for_its_tools(server: subprocess.Popen[str]) -> str:
    """Its input stays open until the answer is there: what has not been answered by its end never is."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.writelines(json.dumps(message) + "\n" for message in (HELLO, READY, LIST))
    server.stdin.flush()
    said = ""
    for line in server.stdout:
        said += line
        with suppress(ValueError):
            if json.loads(line).get("id") == LIST["id"]:
                return line
    return said


def _answers(address: str) -> bool:
    accepted = {"Accept": "application/json, text/event-stream"}
    try:
        return httpx.post(address, json=HELLO, headers=accepted, timeout=60, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


NATIVE = """
import ctypes, socket, struct, threading
libc = ctypes.CDLL(None)
def speak():
    address = struct.pack("=HH4s8x", socket.AF_INET, socket.htons(9), socket.inet_aton("192.0.2.7"))
    libc.connect(libc.socket(socket.AF_INET, socket.SOCK_DGRAM, 0), address, len(address))  # sends nothing yet
    libc.creat(b"left-behind", 0o600)
threading.Thread(target=speak).start()
"""


def test_the_watch_sees_what_native_code_does_in_a_thread_of_its_own(tmp_path: Path) -> None:
    seen = watch(tmp_path, ["-c", NATIVE], {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"})
    assert (seen.code, len(seen.left)) == (0, 1)
    assert "192.0.2.7" in seen.left[0]
    assert seen.written(besides=[]) == ["left-behind"]


def test_no_switch_of_the_environment_brings_reporting_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    set_library_switches()
    assert {name: os.environ.get(name) for name in SWITCHES} == SWITCHES


def test_the_locked_onnxruntime_has_nothing_that_could_report() -> None:
    """The switch is the second line: versions from 1.29 carry a client of a Microsoft host."""
    folder = Path(importlib.util.find_spec("onnxruntime").origin).parent
    libraries = list(folder.rglob("*.so*"))
    assert libraries
    assert [path.name for path in libraries if b"events.data.microsoft.com" in path.read_bytes()] == []
