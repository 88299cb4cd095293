"""One naming of JSON keys: what commands print is what docs/JSON.md lists, and keeps to its rules."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opscrew.findings.codes import finding
from opscrew.findings.ledger import Ledger
from opscrew.model.subject import Subject
from opscrew.settings import Settings
from opscrew.store.database import open_database
from tests.support.crew_command import CrewCommand

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "JSON.md").read_text(encoding="utf-8")
ROWS = {
    command.strip().removeprefix("crew "): (set(re.findall(r"`([a-z_]+)`", keys)), "…" in keys)
    for line in PAGE.splitlines()
    if line.startswith("| `crew")
    for commands, keys in [line.strip("| ").split(" | ", 1)]
    for command in re.findall(r"`([^`]+)`", commands)
}
POD = """
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
 "status": {"phase": "Running", "containerStatuses": [{"name": "web", "ready": false, "restartCount": 9,
  "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}}
"""
SERIES = {"id": "a", "values": [1e9 + 1e7 * day for day in range(90)], "step": "1d", "capacity": 2e9}


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pod.json").write_text(POD)
    (tmp_path / "series.jsonl").write_text(json.dumps(SERIES))
    (tmp_path / "build.log").write_text("+ pytest\nE   assert 1 == 2\nFAILED tests/test_a.py::test_b - assert 1 == 2\n")
    engine = open_database(Settings().database_url)
    subject = Subject(system="bitbucket", kind="branch", scope="acme/shop", name="main")
    Ledger(engine, lambda: datetime.now(UTC)).observe("ci", [finding("CI_OUTAGE", subject, "down")], complete=True)
    engine.dispose()
    return CrewCommand(monkeypatch, capsys)


COMMANDS = {
    "findings": ["findings"],
    "findings show": ["findings", "show", "{finding}"],
    "findings suppress": ["findings", "suppress", "{finding}", "--for", "1h", "--reason", "known"],
    "actions verify": ["actions", "verify"],
    "cluster check": ["cluster", "check", "pod.json"],
    "ci classify": ["ci", "classify", "build.log"],
    "ci explain": ["ci", "explain", "build.log"],
    "ci stats": ["ci", "stats", "--by", "repo"],
    "measures query": ["measures", "query", "runs", "pipeline_duration:p95", "--compare"],
    "measures list": ["measures", "list"],
    "measures show": ["measures", "show", "queue_time"],
    "storage forecast": ["storage", "forecast", "series.jsonl"],
    "knowledge search": ["knowledge", "search", "--words", "crash loop"],
    "knowledge list": ["knowledge", "list"],
    "mcp list": ["mcp", "list", "--no-start"],
    "run --list": ["run", "--list"],
    "run": ["run", "housekeeping"],
    "init": ["init", "--path", "other.yaml"],
    "version": ["version"],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_the_keys_of_the_page(crew: CrewCommand, name: str) -> None:
    identity = json.loads(crew("findings", "--json").out)["id"]
    ran = crew(*(word.replace("{finding}", identity) for word in COMMANDS[name]), "--json")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert rows, ran.err
    known, and_more = listed(name)
    for row in rows:
        keys_keep_the_rules(row)
        assert and_more or set(row) <= known, set(row) - known


def listed(name: str) -> tuple[set[str], bool]:
    keys, and_more = ROWS[name]
    if name == "findings show":  # "the same and …"
        keys = keys | ROWS["findings"][0]
    return keys, and_more


def keys_keep_the_rules(value: Any) -> None:
    if isinstance(value, list):
        for inner in value:
            keys_keep_the_rules(inner)
    for key, inner in value.items() if isinstance(value, dict) else ():
        if key in ("labels", "annotations", "details", "parameters", "not_checked", "counts", "codes"):
            continue  # the other system's names
        assert re.fullmatch(r"[a-z][a-z0-9_]*", key), key
        if isinstance(inner, str) and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", inner):
            assert key == "at" or key.endswith("_at"), key
            assert datetime.fromisoformat(inner).tzinfo is not None, inner
        keys_keep_the_rules(inner)


def test_every_command_with_json_is_on_the_page() -> None:
    from typer.main import get_command

    from main import application

    def leaves(command: Any, path: str = "") -> list[str]:
        inner = getattr(command, "commands", {})
        if not inner:
            return [path] if any("--json" in one.opts for one in command.params) else []
        return [leaf for name, one in inner.items() for leaf in leaves(one, f"{path} {name}".strip())]

    assert {leaf for leaf in leaves(get_command(application)) if leaf not in ROWS} == set()
