"""Opens the logs that commands are given: plain or gzip, by path or from standard input; names those it cannot read."""

from __future__ import annotations

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, cast

from cli.output import notes
from opscrew.errors import CrewError, UsageError

STANDARD_INPUT = "-"

BEGINNING = 8192
"""Bytes that tell text from anything else."""

TEXT_CONTROLS = frozenset(b"\t\n\r\x1b\b\f")
"""Control characters of logs: layout, colours, and progress that is overwritten."""

MOST_CONTROLS = 0.05
"""Share of other control characters. Packed data has a tenth, UTF-16 half; a log has none but a stray NUL."""

GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def open_log(name: str) -> Iterator[BinaryIO]:
    """The bytes of the log ``name``, unpacked where they are gzip whatever the name says; ``-`` is standard input.

    Raises ``CrewError`` for whatever cannot be read, also where that shows only in the middle of the file.
    """
    with ExitStack() as stack:
        try:
            raw = _standard_input() if name == STANDARD_INPUT else stack.enter_context(Path(name).open("rb"))
            packed = raw.peek(2)[:2] == GZIP_MAGIC
            yield cast(BinaryIO, stack.enter_context(gzip.open(raw, "rb")) if packed else raw)
        except (EOFError, zlib.error, gzip.BadGzipFile) as problem:
            raise CrewError(f"{shown(name)}: damaged gzip: {problem}", "Fetch the file again.") from problem
        except OSError as problem:
            raise CrewError(
                f"{shown(name)}: {problem.strerror or problem}", "Give a log file, or - for stdin."
            ) from problem


def is_text(log: BinaryIO) -> bool:
    """Whether the log that was opened here begins like one that a person can read. Reads nothing of it."""
    beginning: bytes = log.peek(BEGINNING)[:BEGINNING]  # type: ignore[attr-defined]
    controls = sum(byte < 32 and byte not in TEXT_CONTROLS for byte in beginning)
    return controls <= MOST_CONTROLS * len(beginning)


def shown(name: str) -> str:
    """The name for a person and on one line, whatever characters a file system allowed in it."""
    if name == STANDARD_INPUT:
        return "standard input"
    return readable(name) if name and readable(name).isprintable() else repr(readable(name))


def readable(name: str) -> str:
    """The name where bytes that are no UTF-8 are replaced, since JSON cannot hold them."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def reading(name: str) -> AbstractContextManager[object]:
    """A sign of life on a terminal: a log of some hundred megabytes takes seconds."""
    if not sys.stderr.isatty():
        return nullcontext()
    from rich.text import Text

    return notes().status(Text(f"reading {shown(name)}"))


def read_input_once(names: Sequence[str]) -> None:
    """Raises ``UsageError`` when several of ``names`` are standard input: the second would find it empty."""
    if names.count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (-) can be read only once.", "Name files for the other logs.")


def tell(problem: CrewError) -> None:
    """Names a log that cannot be read on standard error, where a command goes on with the others."""
    print(f"crew: {problem.message}\n      {problem.hint}".rstrip(), file=sys.stderr)  # noqa: T201


def _standard_input() -> io.BufferedReader:
    if sys.stdin is None:
        raise CrewError("standard input is closed", "Give the log as `< FILE`, or name it.")
    return cast(io.BufferedReader, sys.stdin.buffer)
