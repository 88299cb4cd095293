"""One door to everything remembered: opens the library, brings the vector index up to date, and searches.

Vectors are a help, never a condition. When another process owns the index, when the weights are missing or when the
settings switch them off, the search goes on by words, and ``note`` says so in words for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

from opscrew.clock import Clock
from opscrew.errors import CrewError
from opscrew.memory.documents import Document, opening
from opscrew.memory.embedding import embedder
from opscrew.memory.library import Library
from opscrew.memory.search import Hit, Search
from opscrew.memory.vectors import ChromaVectors

NO_VECTORS = "none"
"""The embedding setting that means: by words alone."""


def index_folder(data_dir: Path) -> Path:
    return data_dir / "index"


def model_folder(data_dir: Path) -> Path:
    """Where the converted embedding model is kept."""
    return data_dir / "models"


class Recall:
    """Use as a context manager, or call ``close()``. Calls from several threads wait for each other."""

    def __init__(self, library: Library, clock: Clock, data_dir: Path, embedding: str) -> None:
        self.library = library
        self.note = ""
        self._clock = clock
        self._lock = Lock()
        self._search: Search | None = None
        self._vectors = self._open_vectors(data_dir, embedding)

    def __enter__(self) -> Recall:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the index free for another process."""
        if self._vectors is not None:
            self._vectors.close()
            self._vectors = None

    def release(self) -> None:
        """Gives the embedding model's memory back, about 200 MB; the next question loads it again in 0.2 s."""
        with self._lock:
            if self._vectors is not None:
                self._vectors.release()

    def refresh(self) -> int:
        """Brings the indexes up to date with files and database; returns how many pieces had to be embedded."""
        with self._lock:
            return self._refresh(self.library.documents())

    def forget(self) -> None:
        """Takes out of the vector index what is no longer in the library, without embedding anything."""
        with self._lock:
            if self._vectors is not None:
                self._vectors.forget([piece for document in self.library.documents() for piece in opening(document)])

    def find(self, question: str, *, top: int = 10, system: str = "", kind: str = "") -> Sequence[Hit]:
        """Best first. What was added or edited since the last call is found too."""
        with self._lock:
            documents = self.library.documents()
            if self._search is None or documents != self._search.documents:
                self._refresh(documents)
            assert self._search is not None, "made by the refresh"
            return self._search.find(question, self._clock(), top=top, system=system, kind=kind)

    def _refresh(self, documents: list[Document]) -> int:
        embedded = 0
        if self._vectors is not None:
            try:
                embedded = self._vectors.update([piece for document in documents for piece in opening(document)])
            except CrewError as problem:  # the weights or the extra are not installed
                self.note = f"searching by words alone: {problem.message}"
                self.close()
        self._search = Search(documents, self._vectors)
        return embedded

    def _open_vectors(self, data_dir: Path, embedding: str) -> ChromaVectors | None:
        if embedding == NO_VECTORS:
            return None
        try:
            return ChromaVectors(index_folder(data_dir), embedder(embedding, model_folder(data_dir)))
        except CrewError as problem:
            self.note = f"searching by words alone: {problem.message}"
            return None
