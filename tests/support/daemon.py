"""Starts a real daemon process, waits until it answers, and ends it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (sys.executable, "-m", "tests.support.daemon_program")
CREW = (sys.executable, "main.py", "serve")
PATIENCE = 100.0
"""Seconds. The machine may be busy with other tests; nothing waits that long when all is well."""


class Daemon:
    """``with Daemon(folder, environment) as daemon``; its log is in ``daemon.log()``."""

    def __init__(
        self, folder: Path, environment: dict[str, str] | None = None, command: Sequence[str] = PROGRAM
    ) -> None:
        self.folder = folder
        self.command = list(command)
        self.environment = {
            "PATH": os.environ["PATH"],
            "CREW_DATA_DIR": str(folder),
            "CREW_HTTP__PORT": "0",
            **(environment or {}),
        }

    def __enter__(self) -> Daemon:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def start(self) -> float:
        """Returns after how many seconds it was ready."""
        self.folder.mkdir(exist_ok=True)
        began = time.monotonic()
        self.process = self.launch()
        until(self._is_ready, self.log)
        return time.monotonic() - began

    def launch(self) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self.command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    @property
    def url(self) -> str:
        return str(self._owner().get("url", ""))

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.url + path, headers=headers, timeout=PATIENCE, trust_env=False)

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def _owner(self) -> dict[str, object]:
        try:
            return dict(json.loads((self.folder / "crew.lock").read_text()))
        except (OSError, ValueError):
            return {}

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()
        if self._owner().get("pid") != self.process.pid or not self.url:
            return False
        try:
            return self.get("/readyz").status_code == 200
        except httpx.TransportError:  # the address of a process that is gone, or one that does not answer yet
            return False


def until(
    condition: Callable[[], object], explain: Callable[[], object] = lambda: "", *, seconds: float = PATIENCE
) -> None:
    """Waits until the condition holds; fails with the explanation otherwise."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s in vain: {explain()}"
        time.sleep(0.05)
