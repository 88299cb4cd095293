"""Exit codes: 1 for what does not exist, whatever kind of thing it is; 2 for what is written wrongly; and `--debug`
changes neither."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.crew_command import CrewCommand

ABSENT = [
    "findings show ffff",
    "findings suppress ffff --for 1h --reason x",
    "findings unsuppress ffff",
    "actions show ffff",
    "actions approve ffff",
    "actions deny ffff",
    "alerts show ffff",
    "conversations show ffff",
    "conversations delete ffff",
    "incidents show ffff",
    "incidents write ffff",
    "knowledge remove note/ffff",
    "knowledge add absent.md",
    "knowledge search --docs absent.jsonl --queries absent.jsonl",
    "run ffff",
    "mcp tools ffff",
    "mcp call ffff tool",
    "mcp tools --role ffff",
    "mcp serve ffff",
    "cluster check --context ffff",
    "cluster check absent.json",
    "cluster summary --context ffff",
    "storage check --context ffff",
    "storage forecast absent.jsonl",
    "ci classify absent.log",
    "ci explain absent.log",
    "ci stats --repo ffff",
    "measures show ffff",
    "measures query runs --where repository=ffff",
    "ask --conversation ffff hello",
]
WRONG = [
    "findings show",
    "findings --state ffff",
    "actions --state ffff",
    "findings suppress ffff --for ffff --reason x",
    "cluster check --now ffff absent.json",
    "knowledge search --kind ffff x",
    "ask --deadline ffff hello",
    "storage forecast --horizon ffff absent.jsonl",
    "ci stats --day ffff",
    "ci stats --by ffff",
    "ci stats --since 7d --until 8d",
    "measures query ffff",
    "measures query runs --by ffff",
    "nosuch",
    "--config absent.yaml findings",
]


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kubeconfig").write_text("{clusters: [], contexts: [], users: []}")
    (tmp_path / "crew.yaml").write_text(
        "kubernetes: [{name: prod, kubeconfig: kubeconfig}]\nmemory: {embedding: none}\n"
    )
    return CrewCommand(monkeypatch, capsys)


@pytest.mark.parametrize(
    "code_of", [(line, 1) for line in ABSENT] + [(line, 2) for line in WRONG], ids=lambda one: one[0]
)
@pytest.mark.parametrize("debug", [False, True], ids=["", "debug"])
def test_one_exit_code_for_one_kind_of_failure(crew: CrewCommand, code_of: tuple[str, int], debug: bool) -> None:
    line, code = code_of
    ran = crew(*(["--debug"] if debug else []), *line.split())
    assert ran.code == code, ran.err
    assert "crew: " in ran.err or "there is no" in ran.err, "it says what is wrong"
    assert ("Traceback" in ran.err) <= debug
