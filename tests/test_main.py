"""The program's boundary: how it ends when whoever reads it has had enough, or a person presses Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell starts what runs in the background with Ctrl-C ignored, and programs started by tests inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def started(folder: Path, *arguments: str, output: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder / "data"), "TMPDIR": str(folder)},
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("arguments", [("findings",), ("run", "--json"), ("init", "--print"), ("doctor", "--json")])
def test_a_reader_that_has_had_enough_is_no_failure(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as `head` does, but always before the first line is written
    with started(tmp_path, *arguments, output=writing) as process:
        os.close(writing)
        assert process.stderr is not None
        complaints = process.stderr.read()
    assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_demo_that_is_stopped_leaves_neither_traceback_nor_files(tmp_path: Path, number: int, code: int) -> None:
    with started(tmp_path, "demo") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()  # the story has begun
        time.sleep(0.5)
        process.send_signal(number)
        process.stdout.read()
        complaints = process.stderr.read()
    assert process.returncode == code
    assert "Traceback" not in complaints
    assert list(tmp_path.glob("crew-demo-*")) == []


@pytest.mark.parametrize("arguments", [("findings", "--code"), ("run",), ("actions", "approve"), ("init", "--path")])
def test_an_argument_that_is_no_text_is_one_clear_line(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    with started(tmp_path, *arguments, os.fsdecode(b"a\xff")) as process:
        assert process.stderr is not None
        complaints = process.stderr.read().splitlines()
    assert process.returncode == 2
    assert complaints[0] == r"crew: 'a\udcff' is no UTF-8 text"
    assert len(complaints) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full, which is always full")
def test_output_that_finds_no_room_is_one_clear_line(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, str(ROOT / "main.py"), "init", "--print"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=240,
            check=False,
        )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[0] == "crew: cannot write: the disk is full"
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", ["version", "version --json", "findings", "nosuch", "ci classify nosuch.log"])
def test_closed_outputs_are_somebodys_wish(tmp_path: Path, arguments: str) -> None:
    """As a program of the old school is started: `crew serve >&- 2>&-`."""
    code = 2 if arguments == "nosuch" else 1 if "nosuch" in arguments else 0
    command = f"{sys.executable} {ROOT / 'main.py'} {arguments}"
    for closed in (">&-", "2>&-", ">&- 2>&-"):
        ended = subprocess.run(
            f"{command} {closed}",
            shell=True,
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(tmp_path / "data")},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert (ended.returncode, "unexpected" in ended.stderr) == (code, False), ended.stderr


def test_a_closed_input_is_one_clear_line(tmp_path: Path) -> None:
    command = f"{sys.executable} {ROOT / 'main.py'} ci classify - <&-"
    ended = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[0] == "crew: standard input is closed"
