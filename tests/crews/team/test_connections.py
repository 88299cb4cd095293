"""A run opens no connection that leaves the machine, whatever the working folder and the home folder hold."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from crews.team.roles import ROOT
from demo.ollama.app import create_app
from demo.ollama.script import Script, answers, calls, says
from demo.serving import serve
from tests.support.model_host import LOG

WATCHED_RUN = f"""
import json, socket, sys
from pathlib import Path

connected, looked_up = set(), set()

def watch(event, arguments):
    if event == "socket.connect":
        connected.add(str(arguments[1]))
    elif event == "socket.getaddrinfo":
        looked_up.add(str(arguments[0]))

sys.addaudithook(watch)

from crews.team.budget import RunBudget
from crews.team.reason import Reasoner
from crews.team.toolbox import ToolResult, ToolSpec
from opscrew.settings import ModelSettings

url, folder = sys.argv[1], Path(sys.argv[2])
reasoner = Reasoner(ModelSettings(name="ollama_chat/demo:1b", url=url), folder)
tool = ToolSpec("{LOG}", "Gets a log.", {{"type": "object"}}, lambda arguments: ToolResult("npm 503"))
result = reasoner.reason("answer_question", "E1: shop#42 failed", "Why?", role="ci_engineer", tools=[tool],
                         budget=RunBudget(deadline_seconds=200))
reasoner.close()
print(json.dumps({{"text": result.text, "connected": sorted(connected), "looked_up": sorted(looked_up)}}))
"""


def test_a_run_with_tools_stays_on_the_machine(tmp_path: Path) -> None:
    elsewhere = tmp_path / "working-folder"
    elsewhere.mkdir()
    # A stray .env of somebody's other project must not redirect us.
    (elsewhere / ".env").write_text("OLLAMA_API_BASE=http://192.0.2.1:11434\nCREWAI_TRACING_ENABLED=true\n")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": "/proc/nowhere",  # not writable
        "CREW_DATA_DIR": str(tmp_path / "data"),
        # A proxy would read every question, and these are what a person may have set for programs of their own.
        **dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://192.0.2.1:3128"),
        "NO_PROXY": "example.org",
        "CREWAI_TRACING_ENABLED": "true",
        "CREWAI_DISABLE_TELEMETRY": "false",
        "OTEL_SDK_DISABLED": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "False",
    }
    script = Script(speakers=[answers("", missing=[LOG]), calls(LOG, {}), says("The registry failed (T1).")])
    with serve(create_app(script)) as url:
        run = subprocess.run(
            [sys.executable, "-c", WATCHED_RUN, url, str(tmp_path / "data")],
            env=environment,
            cwd=elsewhere,
            capture_output=True,
            text=True,
            timeout=240,
        )
    assert run.returncode == 0, run.stderr
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["text"] == "The registry failed (T1)."
    assert found["connected"] == [f"('127.0.0.1', {url.rpartition(':')[2]})"]
    assert [name for name in found["looked_up"] if name not in ("127.0.0.1", "localhost", "None")] == []
    assert "Error" not in run.stderr
