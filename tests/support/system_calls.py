"""Runs a program under strace and tells which addresses it spoke to and where it wrote: what native code does too.

Python's audit hooks see Python alone. A library that is written in C++ and looks up a host from a thread of its own
passes them by, and so does a file that it keeps.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PATIENCE = 280.0
"""Seconds on a busy machine; nothing waits that long when all is well."""

WATCHED = (
    "connect,sendto,sendmsg,sendmmsg,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,symlink"
)
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"|inet_pton\(AF_INET6, "::ffff:127\.')
WRITES = re.compile(r"\b(?:open\w*|creat|mkdir\w*|rename\w*|link|symlink)\(")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Watched:
    """How the program ended and what it asked of the system."""

    code: int
    out: str
    calls: tuple[str, ...]

    @property
    def left(self) -> list[str]:
        """Calls that address another machine, and questions to a name server wherever it stands."""
        spoken = [call for call in self.calls if "sa_family=AF_INET" in call]
        return [call for call in spoken if not LOOPBACK.search(call) or re.search(r"htons\(53\)", call)]

    def written(self, *, besides: Sequence[Path]) -> list[str]:
        """Names of what was made or renamed outside of these folders."""
        made = [call for call in self.calls if WRITES.search(call) and ("open" not in call or "O_CREAT" in call)]
        names = {names[-1] for call in made if " = -1 " not in call and (names := QUOTED.findall(call))}
        inside = tuple(f"{folder}/" for folder in besides)
        return sorted(name for name in names if not f"{name}/".startswith((*inside, "/dev/", "/proc/")))


def need_strace() -> str:
    """The program; skips with the reason where it is not installed or not allowed, as in a locked-down container."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed (Debian: apt-get install strace)")
    tried = subprocess.run([program, "-f", "-o", "/dev/null", "/bin/true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"strace may not watch processes here: {tried.stderr.strip().splitlines()[-1:]}")
    return program


def watched_command(strace: str, log: Path, arguments: Sequence[str]) -> list[str]:
    """``python *arguments`` with its children. The filter in the kernel keeps calls that nobody asks about fast."""
    return [
        strace,
        "-f",
        "--seccomp-bpf",
        "-qq",
        "-s",
        "300",
        "-e",
        f"trace={WATCHED}",
        "-o",
        str(log),
        sys.executable,
        *arguments,
    ]


def read_calls(log: Path) -> tuple[str, ...]:
    """One entry per call; one that another thread interrupted is told by its beginning, which holds the address."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return tuple(line for line in lines if "resumed>" not in line)


def watch(folder: Path, arguments: Sequence[str], environment: Mapping[str, str], typed: str = "") -> Watched:
    """Runs it to its end. ``typed`` is its standard input."""
    with Server(folder, arguments, environment) as server:
        return server.end(typed, number=0)


class Server:
    """A watched program that runs until ``end``, which may type something first and then sends it a signal."""

    def __init__(self, folder: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> None:
        self._log = folder / f"system-calls-{uuid.uuid4().hex}"
        self.process = subprocess.Popen(
            watched_command(need_strace(), self._log, arguments),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self._signal(signal.SIGKILL)
            self.process.kill()
            self.process.communicate()

    def end(self, typed: str = "", number: int = signal.SIGTERM) -> Watched:
        if number:
            self._signal(number)
        said = self.process.communicate(typed, timeout=PATIENCE)[0]
        return Watched(self.process.returncode, said, read_calls(self._log))

    def _signal(self, number: int) -> None:
        """strace keeps what it is sent for itself: the program is its child."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            os.kill(int(child), number)
