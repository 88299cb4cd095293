"""Every help text: an example that works, plain words, and the width of the terminal."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from main import application

ROOT = get_command(application)


def commands(command: Any = ROOT, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, (*path, name))


ALL = dict(commands())


def help_of(path: tuple[str, ...], **how: Any) -> str:
    context = ROOT.make_context("crew", [], resilient_parsing=True, **how)
    for name, part in ((path[: place + 1], path[place]) for place in range(len(path))):
        context = type(context)(ALL[name], info_name=part, parent=context)
    return str(ALL[path].get_help(context))


def example_of(path: tuple[str, ...]) -> list[str]:
    found = re.search(r"Example: crew (.*)", help_of(path))
    assert found, f"crew {' '.join(path)} -h has no example"
    return shlex.split(found[1])


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_has_an_example_that_can_be_written(path: tuple[str, ...]) -> None:
    words = example_of(path)
    assert tuple(words[: len(path)]) == path
    command, rest = ROOT, words
    context = ROOT.make_context("crew", [], resilient_parsing=True)
    while rest and rest[0] in getattr(command, "commands", {}):
        command, rest = command.commands[rest[0]], rest[1:]
    parsed = command.make_context("x", rest, parent=context)
    assert not parsed.args or getattr(command, "commands", None), "words that nobody asked for"


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_no_help_speaks_of_types(path: tuple[str, ...]) -> None:
    assert re.findall(r"<[a-zA-Z\[\] ]+>", help_of(path)) == []


@pytest.mark.parametrize("columns", [60, 80, 100])
def test_help_follows_the_terminal(columns: int) -> None:
    longest = {path: max(map(len, help_of(path, terminal_width=columns).splitlines())) for path in ALL}
    too_long = {" ".join(path): width for path, width in longest.items() if width > columns}
    # An example stands on a line of its own, to be copied.
    assert {path for path in too_long if max(map(len, _wrapped_lines(path, columns))) > columns} == set()
    assert max(longest.values()) > columns - 8, "a wide terminal is used"


def _wrapped_lines(path: str, columns: int) -> list[str]:
    lines = help_of(tuple(path.split()), terminal_width=columns).splitlines()
    return [line for line in lines if "Example:" not in line]


def crew(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "main.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def test_the_version_is_an_option_too() -> None:
    assert crew("--version").stdout == crew("version").stdout != ""


@pytest.mark.parametrize(("written", "completed"), [("fin", "findings"), ("findings sup", "suppress")])
def test_shells_can_complete(written: str, completed: str) -> None:
    program = Path(sys.executable).with_name("crew")
    words = f"crew {written}"
    asked = {"_CREW_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    shown = subprocess.run(
        [program], env={**os.environ, **asked}, capture_output=True, text=True, timeout=240, check=False
    )
    assert shown.stdout.split() == [completed]
