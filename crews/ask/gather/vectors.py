"""The meaning of a question, compared with everything remembered, without making a person wait for it.

Loading the embedding model takes about 0.6 s in a command that answers one question and ends; in a chat or a daemon it
is paid once and then kept, until nobody has asked for a while.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from pathlib import Path

import structlog

from opscrew.memory.embedding import Embedder, embedder
from opscrew.memory.recall import NO_VECTORS, index_folder, model_folder
from opscrew.memory.snapshot import FILE_NAME, SnapshotVectors, read_snapshot

log = structlog.get_logger(__name__)

Nearness = Mapping[str, tuple[float, str]]

KEPT_SECONDS = 600.0
"""How long the model stays in memory after a question: about 200 MB that a quiet daemon gives back."""


class QuestionVectors:
    """One for each data folder and model in a process; safe to use from several threads."""

    def __init__(self, data_dir: Path, embedding: str) -> None:
        self._folder = index_folder(data_dir)
        self._embedder: Embedder = embedder(embedding, model_folder(data_dir))
        self._lock = threading.Lock()
        self._keeper: SnapshotVectors | None = None
        self._read_at = 0.0
        self._timer: threading.Timer | None = None

    @property
    def exists(self) -> bool:
        """Whether an index was ever made."""
        return (self._folder / FILE_NAME).is_file()

    def begin(self, question: str) -> Future[Nearness]:
        """Starts comparing in the background. A command that ends meanwhile waits for the thread, about a second: it
        is in ONNX Runtime, and a thread that is torn out of native code aborts the whole process."""
        answer: Future[Nearness] = Future()
        # Said aloud, since a thread is by default what its maker is, and collectors run in daemons.
        threading.Thread(target=self._fill, args=(answer, question), name="question vectors", daemon=False).start()
        return answer

    def _fill(self, answer: Future[Nearness], question: str) -> None:
        try:
            with self._lock:
                keeper = self._current()
                answer.set_result(keeper.nearness(question) if keeper else {})
                self._release_later()
        except Exception as problem:  # noqa: BLE001  a help, never a condition; the caller goes on by words
            log.info("question_vectors_failed", error=str(problem))
            answer.set_exception(problem)

    def _current(self) -> SnapshotVectors | None:
        """The file is read again when the index has changed."""
        written = (self._folder / FILE_NAME).stat().st_mtime if self.exists else 0.0
        if written != self._read_at:
            self._keeper, self._read_at = read_snapshot(self._folder, self._embedder), written
        return self._keeper

    def _release_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(KEPT_SECONDS, self._release)
        self._timer.daemon = True
        self._timer.start()

    def _release(self) -> None:
        with self._lock:
            self._embedder.release()


@cache
def question_vectors(data_dir: Path, embedding: str) -> QuestionVectors | None:
    """The one of this process, so that the next question finds the model loaded. None where vectors are off."""
    return None if embedding == NO_VECTORS else QuestionVectors(data_dir, embedding)


def within(answer: Future[Nearness], seconds: float) -> Nearness | None:
    """None where it failed or takes longer."""
    try:
        return answer.result(max(0.0, seconds))
    except FutureTimeout:
        return None
    except Exception:  # noqa: BLE001  logged by the thread that it happened in
        return None
