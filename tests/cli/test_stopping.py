"""Ctrl-C and SIGTERM end a command that waits for something at once: a silent model, a silent system, an import.

Real processes and real signals. What is waited for would take ten minutes, so no figure here is near to a limit that a
busy machine could reach.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from demo.ollama.app import create_app
from demo.ollama.script import Script, says
from demo.serving import serve
from opscrew.memory.embedding import DEFAULT_MODEL
from opscrew.memory.recall import index_folder
from opscrew.memory.snapshot import write_snapshot
from tests.support.http_answers import Handler, Request, http_answers

ROOT = Path(__file__).resolve().parents[2]
FOR_EVER = 600.0


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """A shell starts what runs in the background with Ctrl-C ignored, and programs started by tests inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


Program = subprocess.Popen[str]


@contextmanager
def crew(folder: Path, *arguments: str, **environment: str) -> Iterator[Program]:
    """Started anew, not forked: native libraries of the model do not end well in a fork of the process that loaded
    them."""
    own = {"PATH": os.environ["PATH"], "HOME": str(folder), "CREW_DATA_DIR": str(folder / "data")}
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    process = subprocess.Popen(command, cwd=folder, env=own | environment, text=True, **pipes)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()


@contextmanager
def silent_model() -> Iterator[tuple[Script, dict[str, str]]]:
    script = Script(speakers=(says("", silent_seconds=FOR_EVER),))
    with serve(create_app(script)) as url:
        yield script, {"CREW_MODEL__NAME": f"ollama_chat/{script.model}", "CREW_MODEL__URL": url}


def ended(process: Program, *numbers: int) -> tuple[int, str]:
    """The exit code after these signals, and what it complained about."""
    begun = time.monotonic()
    for number in numbers:
        process.send_signal(number)
    _, complaints = process.communicate(timeout=FOR_EVER)
    assert time.monotonic() - begun < FOR_EVER / 5
    return process.returncode, complaints


def until(condition: Callable[[], object], process: Program) -> None:
    """However long a busy machine takes; the process is alive meanwhile."""
    while not condition():
        assert process.poll() is None
        time.sleep(0.05)


def gone(script: Script) -> None:
    """The host has heard that nobody waits any more."""
    while script.running:
        time.sleep(0.05)


def waits(script: Script) -> Callable[[], bool]:
    return lambda: script.running > 0


ASK = ("ask", "--deadline", "10m", "is anything wrong?")


@pytest.mark.parametrize(
    ("numbers", "code"),
    [
        ((signal.SIGINT,), 130),
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGTERM,), 143),
    ],
)
def test_a_silent_model_is_left_at_once(tmp_path: Path, numbers: tuple[int, ...], code: int) -> None:
    with silent_model() as (script, environment), crew(tmp_path, *ASK, **environment) as process:
        until(waits(script), process)
        assert ended(process, *numbers) == (code, "")
        gone(script)


def test_libraries_that_are_being_imported_are_left_at_once(tmp_path: Path) -> None:
    """The answer of code is on the screen before crewai and litellm are there."""
    with silent_model() as (_, environment), crew(tmp_path, *ASK, **environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert ended(process, signal.SIGINT) == (130, "")


def test_a_silent_system_is_left_at_once(tmp_path: Path) -> None:
    def hang(handler: Handler, request: Request) -> None:
        handler.answers.ended.wait(FOR_EVER)

    with http_answers() as logs:
        logs.by_path["/select/logsql/query"] = hang
        question = ("ask", "--facts", "what do the logs say about errors?")
        with crew(tmp_path, *question, CREW_VICTORIALOGS__URL=logs.url) as process:
            until(lambda: bool(logs.requests), process)
            assert ended(process, signal.SIGINT) == (130, "")


LOADING = """
import threading, sys
import opscrew.memory.snapshot as snapshot
def forever(*_): print("loading", flush=True); threading.Event().wait()
import crews.ask.gather.vectors as question_vectors
question_vectors.read_snapshot = forever
import main
sys.argv = ["crew", "ask", "--facts", "how do I fix a full disk?"]
main.program()
"""


def test_an_embedding_model_that_loads_is_left_at_once(tmp_path: Path) -> None:
    """Its thread is one that Python waits for at the end."""
    index_folder(tmp_path / "data").mkdir(parents=True)
    write_snapshot(index_folder(tmp_path / "data"), DEFAULT_MODEL, ["a#1"], ["a"], np.ones((1, 384), np.float32))
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CREW_DATA_DIR": str(tmp_path / "data")}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        [sys.executable, "-c", LOADING], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "loading\n"
    assert ended(process, signal.SIGINT) == (130, "")


def test_a_chat_stops_its_answer_and_goes_on_and_ends_well(tmp_path: Path) -> None:
    with silent_model() as (script, environment), crew(tmp_path, "chat", "--deadline", "10m", **environment) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("is anything wrong?\n")
        process.stdin.flush()
        until(waits(script), process)
        process.send_signal(signal.SIGINT)
        while process.stdout.readline() != "(stopped)\n":
            assert process.poll() is None
        gone(script)
        process.stdin.write("/help\n/quit\n")
        process.stdin.flush()
        said, complaints = process.communicate(timeout=FOR_EVER)
        assert "Ctrl-C stops an answer" in said
        assert (process.returncode, complaints) == (0, "")


def test_a_chat_ends_at_once_by_a_second_interrupt_or_from_outside(tmp_path: Path) -> None:
    with crew(tmp_path, "chat") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("/help\n")
        process.stdin.flush()
        while "stops an answer" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        while "Ctrl-C again" not in (line := process.stdout.readline()):
            assert process.poll() is None
            if "(stopped)" in line:  # it was still at the line before
                process.send_signal(signal.SIGINT)
        assert ended(process, signal.SIGINT) == (130, "")
    with silent_model() as (script, environment), crew(tmp_path, "chat", "--deadline", "10m", **environment) as process:
        assert process.stdin is not None
        process.stdin.write("is anything wrong?\n")
        process.stdin.flush()
        until(waits(script), process)
        assert ended(process, signal.SIGTERM) == (143, "")
