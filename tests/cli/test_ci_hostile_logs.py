"""`crew ci` as a real process on logs that fill a machine or a screen: 200 MB, one line of 50 MB, random bytes."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MB = 1 << 20
LARGEST_MB = 150
BLIP = b"npm ERR! code ECONNRESET\nnpm ERR! network aborted\n"


def lines_of_a_build(megabytes: int) -> Iterator[bytes]:
    """Different lines, since equal ones would be counted and forgotten."""
    dice, size = random.Random(2), 0
    while size < megabytes * MB:
        block = b"".join(b"added package-%d in %d ms\n" % (dice.getrandbits(40), n) for n in range(2000)) * 4
        size += len(block)
        yield block


LOGS = {
    "200 MB": lambda: chain(lines_of_a_build(200), [BLIP]),
    "one line of 50 MB": lambda: [b"npm ci\n", b"x" * (50 * MB), b"\n", BLIP],
    "random bytes": lambda: [random.Random(3).randbytes(8 * MB)],
}


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
"""
"""A small process in between: the system counts what the starting process holds as the started one's memory."""


def measured(*arguments: str | Path) -> tuple[dict[str, Any], int]:
    """What the command said, and the most memory it took in MB."""
    command = [sys.executable, str(ROOT / "main.py"), "ci", *map(str, arguments), "--json"]
    done = subprocess.run([sys.executable, "-c", MEASURE, *command], capture_output=True, text=True, timeout=240)
    said, _, numbers = done.stdout.strip().rpartition("\n")
    code, megabytes = map(int, numbers.split())
    assert code == 0, done.stderr
    return json.loads(said), megabytes


@pytest.mark.parametrize("command", ["classify", "explain"])
@pytest.mark.parametrize("kind", LOGS)
def test_memory_is_bounded_and_the_answer_of_ordinary_size(tmp_path: Path, kind: str, command: str) -> None:
    log = tmp_path / "build.log"
    with log.open("wb") as file:
        file.writelines(LOGS[kind]())
    said, megabytes = measured(command, log)
    assert megabytes < LARGEST_MB
    assert len(json.dumps(said)) < 50_000
    if command == "classify":
        assert said["verdict"] == ("unknown" if kind == "random bytes" else "transient")
    else:
        assert 0 < len(said["lines"]) <= 60


def test_a_packed_log_that_unpacks_to_very_much_more(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.gz"
    with gzip.open(bomb, "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b"\0" * MB)
        file.write(b"\n" + BLIP)
    said, megabytes = measured("classify", bomb)
    assert megabytes < LARGEST_MB
    assert said["verdict"] == "transient"
