"""`crew doctor` against real sockets: answers, closed doors, wrong clocks, and one that hangs."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from demo.bitbucket.world import READ_ONLY_TOKEN, TOKEN
from opscrew.settings import NOTHING_CONFIGURED
from tests.support.bitbucket import sandbox
from tests.support.crew_program import crew
from tests.support.http_answers import LoopbackServer


class Upstream(BaseHTTPRequestHandler):
    """Answers for several systems; the first part of the path says how."""

    def do_GET(self) -> None:
        how, _, rest = self.path.lstrip("/").partition("/")
        if how == "closed":
            self.answer(401, b"")
        elif how == "page":
            self.answer(200, b"<html>please log in</html>")
        elif rest.startswith("api/tags"):
            self.answer(200, b'{"models": [{"name": "qwen3:4b"}]}')
        elif rest.startswith("api/version"):
            self.answer(200, b'{"version": "0.24.0"}')
        else:
            self.answer(200, b'{"status": "success"}')

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        late = 3600 if self.path.startswith("/late") else 0
        return super().date_time_string(time.time() - late)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = LoopbackServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


PATIENTLY = """
from crews.checks import connections, running
running.DEADLINE_SECONDS, connections.PATIENCE_SECONDS = 120, 60
"""
"""Where every system answers, however late."""


def doctor(folder: Path, first: str = PATIENTLY, **environment: str) -> tuple[int, dict[str, dict[str, str]]]:
    ended = crew(folder, "doctor", "--json", first=first, **environment)
    results = [json.loads(line) for line in ended.stdout.splitlines()]
    return ended.returncode, {result["check"]: result for result in results}


def test_nothing_configured_is_no_failure_and_said_loudly(tmp_path: Path) -> None:
    code, found = doctor(tmp_path)
    assert code == 0
    configuration = found.pop("configuration")
    assert (configuration["level"], configuration["text"]) == ("warning", NOTHING_CONFIGURED)
    assert "crew init" in configuration["hint"]
    assert crew(tmp_path, "doctor").stdout.splitlines()[-1] == NOTHING_CONFIGURED
    assert {name for name, result in found.items() if result["level"] == "ok"} == {
        "data folder",
        "data files",
        "database",
        "policy",
    }
    assert {result["level"] for result in found.values()} == {"ok", "off"}
    assert all(result["hint"] for name, result in found.items() if result["level"] == "off" and name != "clock")


def test_a_token_without_its_section_is_told_and_stops_nothing(tmp_path: Path) -> None:
    code, found = doctor(tmp_path, CREW_BITBUCKET__TOKEN="open-sesame", CREW_GRAFANA__PASSWORD="open-sesame")
    assert code == 0
    configuration = found["configuration"]
    assert configuration["level"] == "warning"
    assert configuration["text"].startswith("CREW_BITBUCKET__TOKEN, CREW_GRAFANA__PASSWORD are set")
    assert "bitbucket, grafana" in configuration["hint"]
    assert "sesame" not in str(found)


@pytest.mark.parametrize(
    ("rule", "token", "level"),
    [
        ("auto", READ_ONLY_TOKEN, "failed"),
        ('{"acme/shop": "auto"}', READ_ONLY_TOKEN, "failed"),
        ("approve", READ_ONLY_TOKEN, "warning"),
        ("auto", TOKEN, "ok"),
    ],
)
def test_a_token_that_may_not_do_what_the_policy_allows_is_told(
    tmp_path: Path, rule: str, token: str, level: str
) -> None:
    with sandbox() as box:
        code, found = doctor(
            tmp_path,
            CREW_BITBUCKET__URL=f"{box.url}/2.0",
            CREW_BITBUCKET__WORKSPACE="acme",
            CREW_BITBUCKET__TOKEN=token,
            CREW_POLICY=json.dumps({"rerun_pipeline": json.loads(rule) if rule[0] == "{" else rule}),
        )
    assert found["bitbucket"]["level"] == "ok"
    assert (found["bitbucket rights"]["level"], code) == (level, level == "failed")
    assert ("pipeline:write" in found["bitbucket rights"]["text"]) is (level != "ok")


def test_what_is_switched_off_needs_no_right(tmp_path: Path) -> None:
    with sandbox() as box:
        _, found = doctor(
            tmp_path,
            CREW_BITBUCKET__URL=f"{box.url}/2.0",
            CREW_BITBUCKET__WORKSPACE="acme",
            CREW_BITBUCKET__TOKEN=READ_ONLY_TOKEN,
            CREW_POLICY='{"rerun_pipeline": "off", "stop_pipeline": "off"}',
        )
    assert "bitbucket rights" not in found


def test_a_rule_that_means_nothing_is_found(tmp_path: Path) -> None:
    code, found = doctor(tmp_path, CREW_POLICY='{"rerun_pipelin": "auto"}')
    assert code == 1
    assert "did you mean rerun_pipeline?" in found["policy"]["text"]


def test_what_works_and_what_does_not(tmp_path: Path, url: str) -> None:
    code, found = doctor(
        tmp_path,
        CREW_VICTORIAMETRICS__URL=f"{url}/fine",
        CREW_VMALERT__URL=f"{url}/late",
        CREW_GRAFANA__URL=f"{url}/closed",
        CREW_ALERTMANAGER__URL=f"{url}/page",
        CREW_VICTORIALOGS__URL="http://127.0.0.1:1",
        CREW_BITBUCKET__WORKSPACE="acme",
        CREW_MODEL__NAME="ollama_chat/qwen3:4b",
        CREW_MODEL__URL=f"{url}/model",
    )
    levels = {name: result["level"] for name, result in found.items()}
    assert code == 1
    assert (levels["victoriametrics"], levels["model"]) == ("ok", "ok")
    assert (levels["vmalert"], levels["clock"]) == ("warning", "warning")
    assert "ahead of its clock" in found["vmalert"]["text"]
    assert "CREW_GRAFANA__TOKEN" in found["grafana"]["hint"]
    assert "answers something else" in found["alertmanager"]["text"]
    assert "cannot be reached" in found["victorialogs"]["text"]
    assert "CREW_BITBUCKET__TOKEN" in found["bitbucket"]["hint"]


def test_a_system_that_hangs_does_not_hang_the_doctor(tmp_path: Path, silent: str) -> None:
    started = time.monotonic()
    code, found = doctor(
        tmp_path, "", CREW_VICTORIAMETRICS__URL=silent, CREW_MODEL__NAME="ollama/x", CREW_MODEL__URL=silent
    )
    assert code == 1
    assert "no answer" in found["victoriametrics"]["text"] + found["victoriametrics"]["hint"]
    assert found["model"]["level"] == "failed"
    assert time.monotonic() - started < 200  # ten seconds, and room for a busy machine; it hangs for ever


def test_people_get_lines_that_fit(tmp_path: Path, url: str) -> None:
    ended = crew(
        tmp_path,
        "doctor",
        first=PATIENTLY,
        CREW_GRAFANA__URL=f"{url}/closed",
        CREW_MODEL__NAME="ollama/no-such-model",
        CREW_MODEL__URL=f"{url}/model",
    )
    assert ended.returncode == 1
    assert "2 failed." in ended.stdout
    assert "ollama pull no-such-model" in ended.stdout
    assert max(len(line) for line in ended.stdout.splitlines()) <= 80
    assert [line for line in ended.stdout.splitlines() if line != line.rstrip()] == []


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, not a folder")
    code, found = doctor(tmp_path)
    assert code == 1
    assert found["data folder"]["level"] == "failed"
    assert "CREW_DATA_DIR" in found["data folder"]["hint"]
