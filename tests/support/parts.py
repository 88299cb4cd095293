"""Finds the real servers that `make parts` built, and says why one is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CREW_PARTS", Path.home() / ".cache" / "crew-parts"))


def part(folder: str, program: str, script: str) -> Path:
    """The program's path, or a skip whose reason is what the build script said.

    ``folder`` is name and version ("victoria-v1.150.0"), ``script`` the name of the script in tests/real/parts.
    """
    found = FOLDER / folder / program
    if found.is_file():
        return found
    note = FOLDER / f"{script}.missing"
    reason = note.read_text(encoding="utf-8").strip() if note.is_file() else "not built; run `make parts`"
    pytest.skip(f"{program}: {reason}")
