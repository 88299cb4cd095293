"""The demo is the real program over a sandbox: it must show what it claims, end by itself and leave nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

CREW = Path(sys.executable).with_name("crew")
REAL_SYSTEMS = {
    "CREW_BITBUCKET__URL": "http://127.0.0.1:9/2.0",
    "CREW_BITBUCKET__WORKSPACE": "real",
    "CREW_BITBUCKET__TOKEN": "of-a-person",
}
"""What a person's shell may hold. The demo must never talk to them: here that would fail it."""


def test_the_demo_shows_every_part_and_leaves_nothing_behind(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("crew-demo-*"))
    shown = subprocess.run(
        [CREW, "demo", "--json"],
        cwd=tmp_path,
        env=os.environ | REAL_SYSTEMS,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    told = [json.loads(line) for line in shown.stdout.splitlines()]
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
    assert set(Path(tempfile.gettempdir()).glob("crew-demo-*")) <= before
    assert list(tmp_path.iterdir()) == []
