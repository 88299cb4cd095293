"""`crew model` against a scripted host."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from demo.ollama.app import create_app
from demo.ollama.script import Script, answers, calls
from demo.serving import serve
from main import application
from tests.support.crew_program import crew as crew_program


def write_settings(folder: Path, url: str, name: str = "ollama_chat/demo:1b") -> None:
    (folder / "crew.yaml").write_text(f"model: {{name: '{name}', url: '{url}'}}\n", encoding="utf-8")


def crew(
    folder: Path, url: str, *arguments: str, name: str = "ollama_chat/demo:1b"
) -> subprocess.CompletedProcess[str]:
    write_settings(folder, url, name)
    return crew_program(folder, "--config", str(folder / "crew.yaml"), "model", *arguments)


def test_list_shows_models_and_what_fits(tmp_path: Path) -> None:
    with serve(create_app()) as url:
        shown = crew(tmp_path, url)
        found = json.loads(crew(tmp_path, url, "list", "--json").stdout)
    assert shown.returncode == 0, shown.stderr
    assert "model ollama_chat/demo:1b: ready" in shown.stdout
    assert "demo:1b" in shown.stdout
    assert max(len(line) for line in shown.stdout.splitlines()) <= 80
    assert found["hosts"][0]["models"][0]["context_tokens"] == 8192
    assert found["model"]["condition"] == "ready"


def test_list_says_what_is_wrong(tmp_path: Path) -> None:
    shown = crew(tmp_path, "http://127.0.0.1:9")
    assert shown.returncode == 0
    assert "unreachable" in shown.stdout
    assert "ollama serve" in shown.stdout


def test_try_measures_and_judges(tmp_path: Path) -> None:
    speakers = [answers("web-3"), calls("pods_log", {"pod": "web-1"}), answers("The pod web-1 (E1).")]
    with serve(create_app(Script(speakers=speakers))) as url:
        write_settings(tmp_path, url)
        run = CliRunner().invoke(application, ["--config", str(tmp_path / "crew.yaml"), "model", "try", "--json"])
    found = json.loads(run.stdout)
    assert (found["calls_tools"], found["obeys_schema"]) == (True, True)
    assert found["prompt_tokens_per_second"] == pytest.approx(50)
    assert found["output_tokens_per_second"] == pytest.approx(10)
    assert found["typical_answer_seconds"] == pytest.approx(2000 / 50 + 150 / 10)


def test_try_without_a_model_fails_with_a_reason(tmp_path: Path) -> None:
    shown = crew(tmp_path, "http://127.0.0.1:9", "try", name="none")
    assert shown.returncode == 1
    assert "model none: off" in shown.stdout
    assert "Traceback" not in shown.stderr
