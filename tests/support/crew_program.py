"""Runs the real `crew` program as a process, as a person or a script would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def crew(folder: Path, *arguments: str, first: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """``folder`` is the working folder and holds the data folder; nothing else of the environment is passed on.

    ``first`` is Python that is run before the program: what it waits for at most, where a busy machine is slower.
    """
    own = {"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder / "data"), "PYTHONPATH": str(ROOT)}
    program = ["-c", f"{first}\nimport main\nmain.program()"] if first else [str(ROOT / "main.py")]
    return subprocess.run(
        [sys.executable, *program, *arguments],
        cwd=folder,
        env=own | environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
