"""Ends the program at once on Ctrl-C or SIGTERM, whatever its threads are doing.

An exception in the main thread is not enough for a command that talks with a model: libraries swallow it while they
are imported, Python waits for threads that hang in a read, and native threads abort a process whose interpreter is
taken down under them. So a thread of our own hears of the signal and leaves without taking anything down. Nothing is
lost by that: what the database got is whole, and locks and connections are let go by the system.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

FLUSH_SECONDS = 0.3
"""A reader that takes nothing any more must not keep us."""

_answered = threading.Event()
"""Set while the main thread has a use for Ctrl-C of its own."""


def end_at_once_on_signals() -> None:
    """From now on, for the rest of the process. Call it in the main thread, before anything heavy is imported.

    A signal that is ignored stays so: that is how a shell starts what it runs in the background.
    """
    # Python writes the signal's number there at once, also while the main thread is in native code.
    signal.set_wakeup_fd(_watched_pipe(), warn_on_full_buffer=False)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _heard)


@contextmanager
def interrupts_are_answered() -> Iterator[None]:
    """Within it Ctrl-C is a KeyboardInterrupt of the main thread; SIGTERM goes on ending the program."""
    _answered.set()
    try:
        yield
    finally:
        _answered.clear()


def leave(code: int) -> NoReturn:
    """Ends the process with what it has printed, and the programs that it started."""
    _end_children()
    flushing = threading.Thread(target=_flush, daemon=True)
    flushing.start()
    flushing.join(FLUSH_SECONDS)
    os._exit(code)


@cache
def _watched_pipe() -> int:
    """Where to write; one for the process."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    threading.Thread(target=_watch, args=(reading,), name="signals", daemon=True).start()
    return writing


def _watch(reading: int) -> None:
    while True:
        for number in os.read(reading, 16):
            if number in SIGNALS and not (number == signal.SIGINT and _answered.is_set()):
                leave(128 + number)


def _heard(number: int, _frame: FrameType | None) -> None:
    """The main thread's side; what ends the program is ``_watch``."""
    if number == signal.SIGINT and _answered.is_set():
        raise KeyboardInterrupt


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # whatever is wrong with an output, we are leaving
            stream.flush()


def _end_children() -> None:
    """MCP servers in groups of their own, which hear nothing of the terminal's Ctrl-C. Only Linux lists children."""
    for listed in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, listed.read_text(encoding="ascii").split()):
                with suppress(OSError):
                    own_group = os.getpgid(child) == child
                    (os.killpg if own_group else os.kill)(child, signal.SIGTERM)
