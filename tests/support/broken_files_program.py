"""Spoils one data file after the other, each in a process of its own that has read none yet, and prints what is said.

Forked after the imports, so that forty processes cost no forty starts, and after all files that come before the spoilt
one have been read: each process reads on from there.
"""

from __future__ import annotations

import functools
import json
import os
import sys
from pathlib import Path

from crews.runtime import data_files
from opscrew.errors import CrewError
from opscrew.settings import Settings


def spoilt(target: Path, content: str) -> str:
    """What ``refuse_broken_files`` says when ``target``, or the first file of that folder, holds ``content``."""
    real_text, real_bytes = Path.read_text, Path.read_bytes

    def is_meant(path: Path) -> bool:
        return path == target or (target.is_dir() and path.parent == target)

    Path.read_text = lambda path, *a, **k: content if is_meant(path) else real_text(path, *a, **k)  # type: ignore[method-assign]
    Path.read_bytes = lambda path: content.encode() if is_meant(path) else real_bytes(path)  # type: ignore[method-assign]
    try:
        data_files.refuse_broken_files(Settings())
    except CrewError as problem:
        return problem.message
    return "nothing"


def in_a_child(target: Path, content: str) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            said = spoilt(target, content)
        except BaseException as problem:  # noqa: BLE001  told to the parent, whose test fails of it
            said = f"{type(problem).__name__}: {problem}"
        os.write(writer, said.encode()[:60_000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        said = pipe.read().decode()
    os.waitpid(child, 0)
    return said


for _, read in data_files.READERS:  # some are read while modules are imported
    if isinstance(read, functools._lru_cache_wrapper):
        read.cache_clear()
for file, read in data_files.READERS:
    for content in ("a: [", "- 1", "unknown_key: 1"):
        json.dump([str(file), content, in_a_child(file, content)], sys.stdout)
        sys.stdout.write("\n")
    read()
