"""Runs the `crew` program inside the test process, from arguments to exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

import main


@dataclass(frozen=True)
class Ran:
    """What a command printed and how it ended."""

    code: Any
    out: str
    err: str


class CrewCommand:
    """``crew("findings", "list")``"""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *arguments: str) -> Ran:
        self._monkeypatch.setattr(sys, "argv", ["crew", *arguments])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended, _signals_as_before():
            main.program()
        printed = self._capsys.readouterr()
        return Ran(ended.value.code, printed.out, printed.err)


@contextmanager
def _signals_as_before() -> Iterator[None]:
    """Some commands take signals over for the rest of their process, which is the one of the tests here."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    waking = signal.set_wakeup_fd(-1)
    try:
        yield
    finally:
        signal.set_wakeup_fd(waking)
        for number, handler in before.items():
            signal.signal(number, handler)
