"""A copy of the vector index in one plain file, which any process may read at any time.

The index itself belongs to one process, and opening it takes longer than a person waits for the first facts. The owner
writes this file after each change; whoever answers a question reads it and compares in memory. It may be a few minutes
old: a document that it does not know yet is found by its words.
"""

from __future__ import annotations

import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from opscrew.memory.embedding import Embedder

if TYPE_CHECKING:
    from opscrew.memory.documents import Piece
    from opscrew.memory.embedding import Vectors

FILE_NAME = "snapshot.npz"


class SnapshotVectors:
    """A keeper that only reads. Made by ``read_snapshot``."""

    def __init__(self, embedder: Embedder, pieces: Sequence[str], documents: Sequence[str], matrix: Vectors) -> None:
        self._embedder = embedder
        self._pieces = pieces
        self._documents = documents
        self._matrix = matrix

    def update(self, wanted: Sequence[Piece]) -> int:
        """Nothing: the owner of the index writes the file."""
        del wanted
        return 0

    def nearness(self, question: str) -> Mapping[str, tuple[float, str]]:
        values = self._matrix @ self._embedder.embed([question])[0]
        best: dict[str, tuple[float, str]] = {}
        for document, piece, value in zip(self._documents, self._pieces, values.tolist(), strict=True):
            if document not in best or value > best[document][0]:
                best[document] = (value, piece)
        return best


def write_snapshot(folder: Path, model: str, pieces: Sequence[str], documents: Sequence[str], matrix: Vectors) -> None:
    """Puts the whole file in place at once, so that nobody reads half of it."""
    import numpy as np

    handle, name = tempfile.mkstemp(dir=folder, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                model=np.array(model),
                pieces=np.array(pieces, dtype=np.str_),
                documents=np.array(documents, dtype=np.str_),
                matrix=np.asarray(matrix, dtype=np.float32),
            )
        Path(name).replace(folder / FILE_NAME)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read_snapshot(folder: Path, embedder: Embedder) -> SnapshotVectors | None:
    """None where there is no file, where it is broken, or where its vectors are another model's."""
    import numpy as np

    try:
        with np.load(folder / FILE_NAME, allow_pickle=False) as found:
            if str(found["model"]) != embedder.name or not len(found["pieces"]):
                return None
            return SnapshotVectors(
                embedder, found["pieces"].tolist(), found["documents"].tolist(), found["matrix"].astype(np.float32)
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
