"""Crews that behave as told by files in the data folder, for tests of the real daemon process."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from crews.runtime.context import CrewContext
from opscrew.model.run import Run, RunOutcome


def ended(context: CrewContext, crew: str, started: datetime, summary: str) -> Run:
    return Run(crew=crew, started_at=started, ended_at=context.clock(), outcome=RunOutcome.OK, summary=summary)


def note(context: CrewContext, line: str) -> None:
    with (context.settings.data_dir / "notes").open("a") as file:
        file.write(line + "\n")


def obedient(context: CrewContext) -> Run:
    """Fails while a file "fail" is there, hangs while "hang" is, and writes when it began and ended.

    A file "hanging" is there as long as it hangs: what was noted may be older than the wish that it should.
    """
    started, folder = context.clock(), context.settings.data_dir
    note(context, "begin")
    if (folder / "fail").exists():
        raise RuntimeError("told to fail, password=correct-horse-battery")
    while (folder / "hang").exists():
        (folder / "hanging").touch()
        time.sleep(0.02)
    (folder / "hanging").unlink(missing_ok=True)
    woken = []
    while not context.woken_by.empty():
        woken.append(context.woken_by.get())
    note(context, f"end {','.join(woken)}")
    return ended(context, "ci_watch", started, f"looked at {len(woken)}")


class Named:
    """Looks like ``crews.runtime.registry.Crew``."""

    def __init__(self, name: str, function: Callable[[CrewContext], Run]) -> None:
        self.name = name
        self.title = "A crew for tests"
        self.needs = ()
        self.run = function

    def load(self) -> Callable[[CrewContext], Run]:
        return self.run


def notes(folder: Path) -> list[str]:
    path = folder / "notes"
    return path.read_text().splitlines() if path.exists() else []
