"""`crew ci classify` on good, packed, broken and missing logs, as a person and as a program would call it."""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from main import application
from opscrew.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]

BLIP = "+ npm ci\nnpm ERR! code ECONNRESET\nnpm ERR! network aborted\n"
FAILED_TEST = "+ go test ./...\n--- FAIL: TestCart (0.01s)\n    cart_test.go:12: got 3, want 4\nFAIL\n"


def crew(*arguments: str | Path) -> Result:
    return CliRunner().invoke(application, ["ci", "classify", *map(str, arguments)])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    (tmp_path / "blip.log").write_text(BLIP, encoding="utf-8")
    (tmp_path / "test.log").write_text(FAILED_TEST, encoding="utf-8")
    (tmp_path / "packed.log.gz").write_bytes(gzip.compress(BLIP.encode()))
    (tmp_path / "cut.log.gz").write_bytes(gzip.compress(random.Random(1).randbytes(50_000))[:20_000])
    (tmp_path / "empty.log").write_bytes(b"")
    return tmp_path


def test_one_object_a_line_for_each_file_in_order(logs: Path) -> None:
    result = crew(logs / "blip.log", logs / "test.log", logs / "packed.log.gz", logs / "empty.log", "--json")
    assert result.exit_code == 0
    judged = [json.loads(line) for line in result.stdout.splitlines()]
    assert [Path(one["file"]).name for one in judged] == ["blip.log", "test.log", "packed.log.gz", "empty.log"]
    assert [one["verdict"] for one in judged] == ["transient", "genuine", "transient", "unknown"]
    assert set(judged[0]) == {"file", "verdict", "signature", "confidence", "next_step", "lines"}
    assert judged[0]["signature"] == "npm-network"
    assert judged[0]["lines"][0] == {"line": 2, "text": "npm ERR! code ECONNRESET"}
    assert judged[3] == {**judged[3], "signature": "", "confidence": 0.0, "lines": []}


def test_a_broken_file_is_named_and_the_others_are_judged(logs: Path) -> None:
    result = crew(logs / "cut.log.gz", logs / "gone.log", logs, logs / "blip.log", "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["verdict"] for line in result.stdout.splitlines()] == ["transient"]
    complaints = result.stderr.splitlines()
    assert "cut.log.gz: damaged gzip" in complaints[0]
    assert complaints[1].strip() == "Fetch the file again."
    assert "gone.log: No such file" in complaints[2]
    assert complaints[3].strip() == "Give a log file, or - for stdin."
    assert "Is a directory" in complaints[4]
    assert len(complaints) == 6


def test_standard_input_can_be_named_once() -> None:
    refused = crew("-", "-").exception
    assert isinstance(refused, UsageError)
    assert "read only once" in refused.message


def test_the_steps_own_error_is_judged_with_the_log(logs: Path) -> None:
    result = crew(logs / "empty.log", "--json", "--error-message", "Container 'Build' exceeded memory limit.")
    judged = json.loads(result.stdout)
    assert judged["verdict"] == "infra_persistent"
    assert judged["lines"] == [{"line": 0, "text": "Container 'Build' exceeded memory limit."}]


def test_a_person_reads_verdict_meaning_and_lines_within_80_columns(logs: Path) -> None:
    (logs / "blip.log").write_text(BLIP + "npm ERR! network " + "very " * 60 + "long\n", encoding="utf-8")
    result = crew(logs / "blip.log")
    assert "transient (npm-network" in result.stdout.replace("\n", " ")
    assert "A re-run may pass." in result.stdout
    assert "npm ERR! code ECONNRESET" in result.stdout
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 80


def test_standard_input_as_a_real_program(logs: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "main", "ci", "classify", "-", "--json"],
        cwd=ROOT,
        input=gzip.compress(BLIP.encode()),
        capture_output=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["file"] == "-"
    assert json.loads(done.stdout)["verdict"] == "transient"


def test_odd_names_of_files_are_shown_harmlessly(logs: Path) -> None:
    odd = {
        b"two\nlines.log": "'two\\nlines.log'",
        b"\xff.log": "\ufffd.log",
        b"\x1b[2Jwiped.log": "'\\x1b[2Jwiped.log'",
    }
    for name, shown in odd.items():
        path = os.fsencode(logs) + b"/" + name
        assert "Traceback" not in crew(os.fsdecode(path)).stderr
        missing = crew(os.fsdecode(name)).stderr
        assert missing.startswith(f"crew: {shown}: No such file"), missing
        Path(os.fsdecode(path)).write_text(BLIP, encoding="utf-8")
        assert shown.strip("'") in crew(os.fsdecode(path)).stdout.replace("\n", "")
        judged = json.loads(crew(os.fsdecode(path), "--json").stdout)
        assert judged["file"] == path.decode("utf-8", errors="replace")
    assert crew("").stderr.startswith("crew: '': ")


def test_no_file_is_a_usage_error() -> None:
    assert crew("--json").exit_code == 2
