"""The demo is the real program over a sandbox: it must show what it claims, end by itself and leave nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CREW = Path(sys.executable).with_name("crew")
REAL_SYSTEMS = {
    "CREW_BITBUCKET__URL": "http://127.0.0.1:9/2.0",
    "CREW_BITBUCKET__WORKSPACE": "real",
    "CREW_BITBUCKET__TOKEN": "of-a-person",
}
"""What a person's shell may hold. The demo must never talk to them: here that would fail it."""


LEFT_ALONE = ("CI_GENUINE_FAILURE", "CI_INFRA_PERSISTENT")


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a home of its own, so that anything left behind shows in ``folder``."""
    homes = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": os.environ["PATH"]}
    return subprocess.run(
        [CREW, "demo", *arguments],
        cwd=folder,
        env=homes | REAL_SYSTEMS,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Everything that one demo says, line by line."""
    folder = tmp_path_factory.mktemp("demo")
    shown = demo(folder, "--json")
    assert shown.returncode == 0, shown.stderr
    assert list(folder.iterdir()) == [], "it leaves nothing behind"
    return [json.loads(line) for line in shown.stdout.splitlines()]


def test_the_demo_shows_every_part(told: list[dict[str, Any]]) -> None:
    found = {line["finding"] for line in told if "finding" in line}
    assert found >= {
        "CI_TRANSIENT_NETWORK",
        "CI_GENUINE_FAILURE",
        "CI_INFRA_PERSISTENT",
        "CI_OUTAGE",
        "CI_RERUN_IMPOSSIBLE",
    }
    states = {line["state"] for line in told if "action" in line}
    assert states >= {"sent", "succeeded", "waiting"}
    answers = [line for line in told if "question" in line]
    assert len(answers) == 3
    assert all(line["facts"] and line["answer"] for line in answers)
    assert [line["audit"]["intact"] for line in told if "audit" in line] == [True]


def test_it_tells_what_it_promises(told: list[dict[str, Any]]) -> None:
    """A blip passes, a real failure is left alone, an outage is one finding that holds everything back."""
    actions = [line for line in told if "action" in line]
    of_the_blip = [line["state"] for line in actions if line["target"] == "pipeline acme/shop/#2"]
    assert of_the_blip == ["sent", "succeeded"]
    left_alone = {line["subject"].removeprefix("branch ") for line in told if line.get("finding") in LEFT_ALONE}
    assert left_alone == {"acme/payments/main", "acme/infra/main"}
    assert not [line for line in actions if line["target"] in ("pipeline acme/payments/#1", "pipeline acme/infra/#1")]
    outage = [line for line in told if line.get("finding") == "CI_OUTAGE"]
    assert [line["state"] for line in outage] == ["new", "resolved"]
    during = [line for line in told if outage[0]["at"] <= line.get("at", "") < outage[1]["at"] and line not in outage]
    assert {line.get("event") for line in during} <= {"push", "outage_ends"}


def test_a_person_can_follow_it_and_learns_what_to_try_next(tmp_path: Path) -> None:
    shown = demo(tmp_path)
    lines = shown.stdout.splitlines()
    assert shown.stderr == ""
    assert max(map(len, lines)) <= 80
    assert [line for line in lines if line != line.rstrip()] == []
    assert "\x1b" not in shown.stdout
    assert lines.index("What to try next") > lines.index("  audit log: 37 entries, intact")
    assert sum(line.startswith('crew ask "') for line in lines) == 3
