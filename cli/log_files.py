"""Opens the logs that commands are given: plain or gzip, by path or from standard input."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from opscrew.errors import CrewError

STANDARD_INPUT = "-"
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
            raise CrewError(f"{name}: damaged gzip: {problem}", "Fetch the file again.") from problem
        except OSError as problem:
            raise CrewError(f"{name}: {problem.strerror or problem}", "Give a log file, or - for stdin.") from problem


def _standard_input() -> io.BufferedReader:
    return cast(io.BufferedReader, sys.stdin.buffer)
