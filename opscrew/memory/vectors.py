"""Keeps one vector for each piece and tells how near a question is to every document.

Two keepers with one duty. ``ChromaVectors`` keeps them on disk for the process that owns the data folder: Chroma's
embedded database is silently damaged by a second writer, and a second reader would not see new rows, so a file lock
lets exactly one process in. What Chroma leaves in its files besides records is overwritten after each call: see
``index_files``. ``MemoryVectors`` serves one command and forgets.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from opscrew.errors import CrewError
from opscrew.library_switches import set_library_switches
from opscrew.memory.documents import Piece
from opscrew.memory.embedding import Embedder
from opscrew.memory.index_files import overwrite_unused
from opscrew.memory.snapshot import FILE_NAME, write_snapshot
from opscrew.private_files import narrow_all

if TYPE_CHECKING:
    from opscrew.memory.embedding import Vectors

NEAREST = 2_000
"""Pieces that Chroma is asked for. A library below this size is compared completely; Chroma needs 2 ms for it."""

WRITTEN_AT_ONCE = 64
"""Pieces embedded and stored together. A process that is killed loses at most these."""


class VectorKeeper(Protocol):
    def update(self, wanted: Sequence[Piece]) -> int:
        """Makes the index hold exactly these pieces; returns how many had to be embedded."""

    def nearness(self, question: str) -> Mapping[str, tuple[float, str]]:
        """Per document id: cosine similarity of its nearest piece (-1 to 1), and that piece's id."""


class MemoryVectors:
    """In memory, for one command: nothing is written, nothing is locked."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._pieces: list[Piece] = []
        self._matrix: Vectors | None = None

    def update(self, wanted: Sequence[Piece]) -> int:
        self._pieces = list(wanted)
        self._matrix = self._embedder.embed([piece.text for piece in wanted]) if wanted else None
        return len(self._pieces)

    def nearness(self, question: str) -> Mapping[str, tuple[float, str]]:
        if self._matrix is None:
            return {}
        values = self._matrix @ self._embedder.embed([question])[0]
        return _best((piece.document, float(v), piece.id) for piece, v in zip(self._pieces, values, strict=True))


class ChromaVectors:
    """On disk under ``folder``; a context manager that holds the folder's lock. Raises ``IndexInUseError``."""

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        self._folder = folder
        self._embedder = embedder
        self._lock = _take(folder)
        self._chroma = threading.Lock()
        narrow_all(folder)  # what an earlier version left open
        try:
            with self._calling():
                self._collection = _open(folder / "chroma", embedder.name)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> ChromaVectors:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the folder free for another process, and the model's memory back."""
        with self._calling():
            _forget(self._folder / "chroma")
        self._embedder.release()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def release(self) -> None:
        """Gives the model's memory back and keeps the index open: what a daemon does when it has been quiet."""
        self._embedder.release()

    @contextmanager
    def _calling(self) -> Iterator[None]:
        """Around every call of Chroma: even a search writes its files anew. One at a time, since overwriting what is
        unused goes by a count that another thread's call would change."""
        with self._chroma:
            try:
                yield
            finally:
                overwrite_unused(self._folder / "chroma")
                narrow_all(self._folder / "chroma")

    def update(self, wanted: Sequence[Piece]) -> int:
        has_forgotten = self._keep_only({piece.id: piece.digest for piece in wanted})
        with self._calling():
            known = set(self._collection.get(include=[])["ids"])
        changed = [piece for piece in wanted if piece.id not in known]
        for start in range(0, len(changed), WRITTEN_AT_ONCE):
            batch = changed[start : start + WRITTEN_AT_ONCE]
            vectors = self._embedder.embed([piece.text for piece in batch])
            with self._calling():
                self._collection.upsert(
                    ids=[piece.id for piece in batch],
                    embeddings=vectors,
                    metadatas=[{"document": piece.document, "digest": piece.digest} for piece in batch],
                )
        if changed or has_forgotten or not (self._folder / FILE_NAME).is_file():
            self._copy()
        return len(changed)

    def forget(self, wanted: Sequence[Piece]) -> None:
        """Takes out what is not among these pieces any more, and embeds nothing."""
        if self._keep_only({piece.id: piece.digest for piece in wanted}):
            self._copy()

    def _keep_only(self, digests: Mapping[str, str]) -> bool:
        """Whether anything had to go. The rest is written into a new database then, since Chroma only marks what it
        deletes: its files go on holding the vector, from which much of the text can be told, and the id."""
        kept = self._everything()
        rows = list(zip(kept["ids"], kept["metadatas"], kept["embeddings"], strict=True))
        stay = [row for row in rows if digests.get(row[0]) == row[1]["digest"]]
        if len(stay) == len(rows):
            return False
        path = self._folder / "chroma"
        with self._calling():
            _forget(path)
            shutil.rmtree(path, ignore_errors=True)
            self._collection = _collection(path, self._embedder.name)
            for start in range(0, len(stay), NEAREST):
                identities, metadatas, embeddings = zip(*stay[start : start + NEAREST], strict=True)
                self._collection.add(ids=list(identities), metadatas=list(metadatas), embeddings=list(embeddings))
        return True

    def _everything(self) -> Any:
        with self._calling():
            return self._collection.get(include=["metadatas", "embeddings"])

    def _copy(self) -> None:
        """For those who only read: see ``snapshot``."""
        kept = self._everything()
        documents = [entry["document"] for entry in kept["metadatas"]]
        write_snapshot(self._folder, self._embedder.name, kept["ids"], documents, kept["embeddings"])

    def nearness(self, question: str) -> Mapping[str, tuple[float, str]]:
        with self._calling():
            size = self._collection.count()
        if not size:
            return {}
        asked = self._embedder.embed([question])
        with self._calling():
            found = self._collection.query(
                query_embeddings=asked, n_results=min(size, NEAREST), include=["metadatas", "distances"]
            )
        rows = zip(found["ids"][0], found["metadatas"][0], found["distances"][0], strict=True)
        return _best((entry["document"], 1 - float(distance), piece) for piece, entry, distance in rows)


class IndexInUseError(CrewError):
    """Another process, usually the daemon, owns the vector index."""


def _take(folder: Path) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    opened = os.open(folder / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as problem:
        os.close(opened)
        raise IndexInUseError(
            "the vector index is in use by another crew process", "The search goes on by words alone."
        ) from problem
    return opened


def _open(path: Path, model: str) -> Any:
    """The collection. An index of another model, or one that does not open, is thrown away: it can be made anew."""
    with suppress(Exception):  # Chroma's Rust core raises anything; whatever it is, a fresh index mends it
        collection = _collection(path, model)
        if (collection.metadata or {}).get("model") == model:
            return collection
    _forget(path)
    shutil.rmtree(path, ignore_errors=True)
    return _collection(path, model)


def _collection(path: Path, model: str) -> Any:
    set_library_switches()
    import chromadb
    from chromadb.config import Settings

    client = chromadb.PersistentClient(str(path), settings=Settings(anonymized_telemetry=False))
    # embedding_function=None: Chroma's default would download a model.
    return client.get_or_create_collection(
        "pieces", embedding_function=None, metadata={"model": model, "hnsw:space": "cosine"}
    )


def _forget(path: Path) -> None:
    """Chroma keeps one open system for each path in the process; a new client would get the stale one."""
    from chromadb.api.shared_system_client import SharedSystemClient

    system = SharedSystemClient._identifier_to_system.pop(str(path), None)
    if system is not None:
        with suppress(Exception):  # one that failed half-way through its start cannot be stopped either
            system.stop()


def _best(rows: Any) -> dict[str, tuple[float, str]]:
    best: dict[str, tuple[float, str]] = {}
    for document, value, piece in rows:
        if document not in best or value > best[document][0]:
            best[document] = (value, piece)
    return best
