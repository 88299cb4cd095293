"""Questions are compared by meaning in the background, from a copy of the index that any process may read."""

import threading
from pathlib import Path

import numpy as np
import pytest

from crews.ask.gather import vectors as module
from crews.ask.gather.vectors import QuestionVectors, within
from opscrew.memory.documents import Document, opening
from opscrew.memory.recall import index_folder
from opscrew.memory.snapshot import FILE_NAME, read_snapshot, write_snapshot
from opscrew.memory.vectors import ChromaVectors
from tests.support.daemon import until
from tests.support.embedders import WordEmbedder

DISK = Document("runbook/DISK", "Disk is full", "No space left on the disk.")
MAIL = Document("runbook/MAIL", "Mail queue", "The relay is down.")


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> WordEmbedder:
    made = WordEmbedder()
    monkeypatch.setattr(module, "embedder", lambda model, folder: made)
    return made


def index(folder: Path, embedder: WordEmbedder, *documents: Document) -> None:
    with ChromaVectors(index_folder(folder), embedder) as vectors:
        vectors.update([piece for document in documents for piece in opening(document)])


def test_the_copy_tells_the_same_as_the_index_while_another_owns_it(tmp_path, embedder) -> None:
    index(tmp_path, embedder, DISK, MAIL)
    with ChromaVectors(index_folder(tmp_path), embedder) as owner:
        owned = owner.nearness("space on the disk")
        read = within(QuestionVectors(tmp_path, "words").begin("space on the disk"), 60)
    assert read
    assert {name: piece for name, (_, piece) in read.items()} == {name: piece for name, (_, piece) in owned.items()}
    assert all(read[name][0] == pytest.approx(value, abs=1e-4) for name, (value, _) in owned.items())


def test_what_is_indexed_later_is_seen_by_the_next_question(tmp_path, embedder) -> None:
    vectors = QuestionVectors(tmp_path, "words")
    assert not vectors.exists
    assert within(vectors.begin("mail"), 60) == {}
    index(tmp_path, embedder, DISK)
    assert set(within(vectors.begin("mail"), 60) or {}) == {"runbook/DISK"}
    index(tmp_path, embedder, MAIL)
    assert set(within(vectors.begin("mail"), 60) or {}) == {"runbook/MAIL"}


def test_a_slow_or_failing_model_costs_no_more_than_the_deadline(tmp_path, embedder, monkeypatch) -> None:
    index(tmp_path, embedder, DISK)
    vectors, hold = QuestionVectors(tmp_path, "words"), threading.Event()
    inner = WordEmbedder.embed

    def late(self: WordEmbedder, texts: list[str]) -> np.ndarray:
        hold.wait(60)
        return inner(self, texts)

    monkeypatch.setattr(WordEmbedder, "embed", late)
    coming = vectors.begin("disk")
    assert within(coming, 0.05) is None
    hold.set()
    assert within(coming, 60)
    monkeypatch.setattr(WordEmbedder, "embed", lambda self, texts: 1 / 0)
    assert within(vectors.begin("disk"), 60) is None


def test_the_model_is_let_go_after_a_quiet_while(tmp_path, embedder, monkeypatch) -> None:
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.05)
    index(tmp_path, embedder, DISK)
    before = embedder.released
    assert within(QuestionVectors(tmp_path, "words").begin("disk"), 60)
    until(lambda: embedder.released > before)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"\x93NUMPY"])
def test_a_broken_copy_is_as_good_as_none(tmp_path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    assert read_snapshot(tmp_path, WordEmbedder()) is None


def test_vectors_of_another_model_are_not_compared(tmp_path) -> None:
    write_snapshot(tmp_path, "other", ["a#start"], ["a"], np.ones((1, 64), dtype=np.float32))
    assert read_snapshot(tmp_path, WordEmbedder()) is None
    assert read_snapshot(tmp_path, WordEmbedder("other")) is not None
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]
