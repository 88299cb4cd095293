"""Reads JSON-lines files for commands that take many records at once."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from pathlib import Path


def read_lines(name: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that is not empty. ``name`` is a path, plain or .gz; - is standard input.

    Raises ``CrewError`` for what cannot be read.
    """
    from opscrew.errors import CrewError

    try:
        if name == "-":
            lines = sys.stdin.read().splitlines()
        elif name.endswith(".gz"):
            lines = gzip.decompress(Path(name).read_bytes()).decode("utf-8").splitlines()
        else:
            lines = Path(name).read_text(encoding="utf-8").splitlines()
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise CrewError(f"{name} cannot be read: {reason}", "Give a text file of JSON lines.") from problem
    yield from ((number, line) for number, line in enumerate(lines, 1) if line.strip())
