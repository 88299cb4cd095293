"""Runs `crew` as processes that are forked from one that has imported everything, since importing is most of the work.

Each run is a process of its own with its own environment, folder, outputs and exit code, and ends as Python ends. What
differs from a program that is started anew is only that no import happens in it; ``tests/test_main.py`` and others that
are about starting start the program itself.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

IMPORTED = (
    *("crews.ask.job", "crews.runtime.registry", "crews.runtime.running", "crews.storage_growth.preview"),
    *("crews.checks.running", "crews.checks.connections", "opscrew.settings_file", "tools.ollama.client"),
    *("alembic.command", "rich.console"),
)
"""What most commands need, without the libraries of the model, which few do."""


class Origin:
    """The process that is forked from. It ends with this one, whose pipe it reads."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crew_forks"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        atexit.register(self._process.kill)

    def run(
        self,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        folder: Path,
        first: str,
        typed: str,
        seconds: float,
    ) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as exchange:
            files = [Path(exchange, name) for name in ("typed", "out", "err")]
            for file in files:
                file.write_text(typed if file.name == "typed" else "", encoding="utf-8")
            order = {
                "arguments": list(arguments),
                "environment": dict(environment),
                "folder": str(folder),
                "first": first,
                "files": [str(file) for file in files],
            }
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                self._process.kill()
                origin.cache_clear()
                raise subprocess.TimeoutExpired(list(arguments), seconds)
            code = int(self._process.stdout.readline())
            return code, files[1].read_text(encoding="utf-8"), files[2].read_text(encoding="utf-8")


@cache
def origin() -> Origin:
    """One for each process of the tests, made when the first needs it."""
    return Origin()


def _fork_for_each_order() -> None:
    """The origin's life: one order a line, one exit code a line."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    while line := sys.stdin.buffer.readline():
        child = os.fork()
        if child == 0:
            answers.close()
            _become(json.loads(line))
            return  # into the program, with the end that Python's own start has
        status = os.waitpid(child, 0)[1]
        answers.write(b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(order: dict[str, Any]) -> None:
    for number, path in enumerate(order["files"]):
        opened = os.open(path, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    os.chdir(order["folder"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115  what the origin read ahead is not ours
    sys.argv = ["crew", *order["arguments"]]
    exec(order["first"], {"__name__": "first"})


def _program() -> None:
    import importlib

    import main

    for name in IMPORTED:
        importlib.import_module(name)
    _fork_for_each_order()
    main.set_library_switches()  # as importing it would have done after the environment was cleared
    main.program()


if __name__ == "__main__":
    _program()
