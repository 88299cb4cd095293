"""Runs the real `crew` program as a process, as a person or a script would."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.support.crew_forks import ROOT, origin

PATIENCE = 240.0


def crew(
    folder: Path, *arguments: str, first: str = "", typed: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """``folder`` is the working folder and holds the data folder; nothing else of the environment is passed on.

    ``first`` is Python that is run before the program: what it waits for at most, where a busy machine is slower.
    ``typed`` is its standard input.
    """
    own = {"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    code, out, err = origin().run(arguments, own | environment, folder, first, typed, PATIENCE)
    return subprocess.CompletedProcess(["crew", *arguments], code, out, err)
