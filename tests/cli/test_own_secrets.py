"""A system that quotes the token it refuses must not carry it into output, logs or the store."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support.crew_program import crew
from tests.support.http_answers import Answers, Handler, Request, http_answers

TOKEN = "tram-7-to-the-sea-shore"
"""Of no published format: only its value gives it away."""
QUOTED = "is not known here"
COMMANDS = (
    "doctor",
    "doctor --json",
    "run alert_triage",
    "run ci_watch",
    "run cluster_health",
    "run storage_growth",
    "cluster check",
    "cluster summary",
    "storage check",
    "findings list --json",
    "findings list",
)
QUESTIONS = (
    "which alerts fire?",
    "how is the cluster?",
    "why did shop #42 fail?",
    "re-run shop #42",
    "which volumes fill up?",
    "errors in the logs of shop since this morning?",
)


@pytest.fixture
def server() -> Iterator[Answers]:
    def quote_it(handler: Handler, request: Request) -> None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        said = f"{shown} {QUOTED}"
        handler.send(json.dumps({"message": said, "error": {"message": said}}).encode(), 400)

    class Everywhere(defaultdict[str, object]):
        def get(self, key: str, default: object = None) -> object:
            return quote_it

    with http_answers() as running:
        running.by_path = Everywhere()  # type: ignore[assignment]
        yield running


@pytest.fixture
def environment(tmp_path: Path, server: Answers) -> dict[str, str]:
    user = {"name": "crew", "user": {"token": TOKEN}}
    cluster = {"name": "prod", "cluster": {"server": server.url}}
    chosen = {"name": "prod", "context": {"cluster": "prod", "user": "crew"}}
    content = {"current-context": "prod", "clusters": [cluster], "contexts": [chosen], "users": [user]}
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(content))
    found = {
        "CREW_LOG_LEVEL": "debug",
        "CREW_MEMORY__EMBEDDING": "none",
        "CREW_KUBERNETES": json.dumps([{"name": "prod", "kubeconfig": str(tmp_path / "kubeconfig")}]),
        "CREW_BITBUCKET__WORKSPACE": "acme",
    }
    for name in ("BITBUCKET", "ALERTMANAGER", "VMALERT", "VICTORIAMETRICS", "VICTORIALOGS", "GRAFANA"):
        found |= {f"CREW_{name}__URL": server.url, f"CREW_{name}__TOKEN": TOKEN}
    return found


def test_nothing_shows_or_keeps_it(tmp_path: Path, server: Answers, environment: dict[str, str]) -> None:
    asked = [command.split() for command in COMMANDS] + [["ask", "--json", question] for question in QUESTIONS]
    said = {}
    for command in asked:
        ended = crew(tmp_path, *command, **environment)
        said[" ".join(command)] = ended.stdout + ended.stderr
    assert any(TOKEN in request.headers.get("Authorization", "") for request in server.requests)
    assert [command for command, text in said.items() if QUOTED in " ".join(text.split())]
    assert {command: text for command, text in said.items() if TOKEN in "".join(text.split())} == {}
    kept = {path.name: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert any(QUOTED.encode() in content for content in kept.values())
    assert [name for name, content in kept.items() if TOKEN.encode() in content] == []
