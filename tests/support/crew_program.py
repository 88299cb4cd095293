"""Runs the real `crew` program as a process, as a person or a script would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def crew(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """``folder`` is the working folder and holds the data folder; nothing else of the environment is passed on."""
    return subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "CREW_DATA_DIR": str(folder / "data"), **environment},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
