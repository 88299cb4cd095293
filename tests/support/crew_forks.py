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
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[2]

IMPORTED = (
    *("crews.ask.job", "crews.runtime.registry", "crews.runtime.running", "crews.storage_growth.preview"),
    *("crews.checks.running", "crews.checks.connections", "opscrew.settings_file", "tools.ollama.client"),
    *("alembic.command", "rich.console"),
)
"""What most commands need, without the libraries of the model, which few do."""


class Forked:
    """A running fork, used as a ``subprocess.Popen`` with text pipes. Only one runs at a time."""

    def __init__(self, orders: socket.socket, streams: tuple[IO[str], IO[str], IO[str]]) -> None:
        self._orders = orders
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self.pid = int(self._line())

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._orders], [], [], 0)[0]:
            self.returncode = int(self._line())
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Raises ``subprocess.TimeoutExpired``."""
        if self.returncode is None:
            if not select.select([self._orders], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("crew", timeout or 0)
            self.returncode = int(self._line())
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        self.stdin.close()
        with ThreadPoolExecutor(2) as readers:
            said, complaints = readers.submit(self.stdout.read), readers.submit(self.stderr.read)
            self.wait(timeout)
            return said.result(), complaints.result()

    def _line(self) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            line += self._orders.recv(1) or b"-1\n"
        return line


class Origin:
    """The process that is forked from. It ends with this one, whose socket it reads."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.crew_forks", str(theirs.fileno())],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
        )
        theirs.close()
        atexit.register(self._process.kill)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, first: str = "") -> Forked:
        """Runs until it ends or is ended, with a pipe to each of its streams."""
        theirs, ours = [], []
        for number in range(3):
            reads, writes = os.pipe()
            theirs.append(writes if number else reads)
            ours.append(reads if number else writes)
        order = {
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": str(folder),
            "first": first,
        }
        socket.send_fds(self._orders, [json.dumps(order).encode() + b"\n"], theirs)
        for descriptor in theirs:
            os.close(descriptor)
        stdin, stdout, stderr = (os.fdopen(one, "r" if n else "w", encoding="utf-8") for n, one in enumerate(ours))
        return Forked(self._orders, (stdin, stdout, stderr))

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
        forked = self.start(arguments, environment, folder, first)
        try:
            with suppress(BrokenPipeError):
                forked.stdin.write(typed)
            out, err = forked.communicate(seconds)
            assert forked.returncode is not None
            return forked.returncode, out, err
        except subprocess.TimeoutExpired:
            forked.kill()
            self._process.kill()
            origin.cache_clear()
            raise
        finally:
            for stream in (forked.stdin, forked.stdout, forked.stderr):
                with suppress(BrokenPipeError):
                    stream.close()


@cache
def origin() -> Origin:
    """One for each process of the tests, made when the first needs it."""
    return Origin()


def _fork_for_each_order(orders: socket.socket) -> None:
    """The origin's life: one order at a time; its answers are the process's number and then its exit code."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(orders, 1 << 20, 3)
        if not message:
            os._exit(0)
        while not message.endswith(b"\n"):
            message += orders.recv(1 << 20)
        child = os.fork()
        if child == 0:
            orders.close()
            _become(json.loads(message), descriptors)
            return  # into the program, with the end that Python's own start has
        for descriptor in descriptors:
            os.close(descriptor)
        orders.sendall(b"%d\n" % child)
        status = os.waitpid(child, 0)[1]
        orders.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(order: dict[str, Any], descriptors: Sequence[int]) -> None:
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    # What runs in the background of a shell has Ctrl-C ignored, and so have its children: here it is what is tested.
    signal.signal(signal.SIGINT, signal.default_int_handler)
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

    main.set_library_switches()
    for name in IMPORTED:
        importlib.import_module(name)
    _fork_for_each_order(socket.socket(fileno=int(sys.argv[1])))
    main.set_library_switches()  # as importing it would have done after the environment was cleared
    main.program()


if __name__ == "__main__":
    _program()
