"""How commands word times and fold long text for people."""

from __future__ import annotations

import shutil
import sys
import textwrap
from datetime import datetime, timedelta, tzinfo

ORDINARY = 80
"""Columns where no terminal is there to ask: in a file or a pipe."""
WIDEST = 120
"""Columns. Prose follows the terminal up to here; longer lines are hard to read."""


def width() -> int:
    """Columns that a line may take: those of the terminal."""
    return min(shutil.get_terminal_size((ORDINARY, 24)).columns, WIDEST) if sys.stdout.isatty() else ORDINARY


def when(moment: datetime, zone: tzinfo) -> str:
    """A time as people read it, in their zone: 2026-10-06 14:00:05."""
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def ago(moment: datetime, now: datetime) -> str:
    """``3 min ago``, or ``in 3 min`` for what lies ahead."""
    distance = now - moment
    words = lasting(abs(distance))
    return f"{words} ago" if distance >= timedelta() else f"in {words}"


def lasting(length: timedelta) -> str:
    """A length of time in its largest fitting unit."""
    seconds = int(length.total_seconds())
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size or (unit != "d" and seconds >= size):
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def folded(text: str, indent: int = 2) -> str:
    """``text`` wrapped to the terminal, each of its own lines kept apart, indented."""
    margin = " " * indent
    columns = width()
    lines = [
        textwrap.fill(
            line,
            columns,
            initial_indent=margin,
            subsequent_indent=margin,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in text.splitlines()
    ]
    return "\n".join(line for line in lines if line)


def one_line(text: str, width: int) -> str:
    """``text`` on one line, cut visibly at ``width``."""
    flat = " ".join(text.split())
    return flat if len(flat) <= width else flat[: width - 1] + "…"
