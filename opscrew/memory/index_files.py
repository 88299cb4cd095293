"""Overwrites what Chroma leaves in the files of its vector index besides records.

Its HNSW index reserves room for a hundred vectors at least and writes that room to disk as it came from the heap. Below
a thousand entries not one byte of ``data_level0.bin`` is a record: the vectors stand in Chroma's database, and the file
holds whatever the process had in memory before, so the words of a note that a person removed, its vector, once a token.
The room is written when the index is made, and anew whenever Chroma opens it, which a mere search does.

glibc's ``M_PERTURB`` would fill memory as it is handed out, but not what comes from the cache of each thread, which
is where small blocks such as ``length.bin`` come from. So the files are mended after each call. A process that is
killed between Chroma's writing and ours leaves them until the next one opens the index; only its own account can read
them.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

HEADER = struct.Struct("<iQQQQ")
"""hnswlib's ``header.bin`` begins with: version, offset of level 0, most elements, present elements, bytes of one."""

BYTES_OF_A_LENGTH = 4

BLOCK = 1 << 20


def overwrite_unused(folder: Path) -> None:
    """In each index below ``folder``. Only Chroma's owner may call this, and not while Chroma is at work."""
    for path, used in used_lengths(folder):
        with suppress(FileNotFoundError):  # Chroma has them all or is about to make them
            _zero_from(path, used)


def used_lengths(folder: Path) -> Iterator[tuple[Path, int]]:
    """Each file with room in it, and how many bytes at its beginning are records."""
    for header in folder.glob("*/header.bin"):
        count, size = _count_and_size(header)
        yield header.with_name("data_level0.bin"), count * size
        yield header.with_name("length.bin"), count * BYTES_OF_A_LENGTH


def _count_and_size(header: Path) -> tuple[int, int]:
    content = header.read_bytes()
    if len(content) < HEADER.size:
        return 0, 0  # not an index that could be read again
    _, _, _, count, size = HEADER.unpack_from(content)
    return count, size


def _zero_from(path: Path, start: int) -> None:
    """Written only where it is not zero already: a search should cost no writing."""
    with path.open("r+b") as file:
        file.seek(start)
        has_written = False
        while block := file.read(BLOCK):
            if block.count(0) != len(block):
                file.seek(-len(block), os.SEEK_CUR)
                file.write(bytes(len(block)))
                has_written = True
        if has_written:
            file.flush()
            os.fdatasync(file.fileno())
