"""One door: new documents are found at once, and vectors are a help but never a condition."""

from pathlib import Path

import pytest

from opscrew.memory import recall as recall_module
from opscrew.memory.documents import Document
from opscrew.memory.library import Library
from opscrew.memory.recall import NO_VECTORS, Recall
from opscrew.memory.vectors import ChromaVectors
from tests.support.embedders import WordEmbedder


@pytest.fixture
def library(database, clock, tmp_path) -> Library:
    shelf = tmp_path / "knowledge" / "runbooks"
    shelf.mkdir(parents=True)
    (shelf / "DISK.md").write_text("# Disk is full\n\nNo space left on the disk.", encoding="utf-8")
    (shelf / "CI.md").write_text("# Build fails\n\nThe registry refuses the download.", encoding="utf-8")
    return Library(database, clock, tmp_path / "knowledge")


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> WordEmbedder:
    made = WordEmbedder()
    monkeypatch.setattr(recall_module, "embedder", lambda model, folder: made)
    return made


def test_what_was_added_is_found_and_only_that_is_embedded(library, clock, tmp_path, embedder) -> None:
    with Recall(library, clock, tmp_path, "words") as recall:
        assert recall.refresh() == 2
        assert recall.find("space on disk")[0].document.id == "runbook/DISK"
        assert recall.find("space on disk")[0].similarity is not None
        before = embedder.embedded
        library.put(Document("note/mail", "Mail queue grows", "The relay is down."))
        assert recall.find("mail relay")[0].document.id == "note/mail"
        assert embedder.embedded - before <= 2  # the new document and the question
        library.remove("note/mail")
        assert "note/mail" not in [hit.document.id for hit in recall.find("mail relay")]


def test_without_vectors_it_searches_by_words(library, clock, tmp_path) -> None:
    with Recall(library, clock, tmp_path, NO_VECTORS) as recall:
        hit = recall.find("space on disk")[0]
    assert (hit.document.id, hit.similarity, recall.note) == ("runbook/DISK", None, "")
    assert not (tmp_path / "index").exists()


def test_while_another_process_owns_the_index_it_says_so_and_goes_on(library, clock, tmp_path, embedder) -> None:
    with ChromaVectors(tmp_path / "index", embedder), Recall(library, clock, tmp_path, "words") as recall:
        assert recall.find("space on disk")[0].document.id == "runbook/DISK"
        assert "in use by another crew process" in recall.note


def test_a_model_that_is_not_installed_is_named_and_the_search_goes_on(library, clock, tmp_path) -> None:
    with Recall(library, clock, tmp_path, "some/other-model") as recall:
        assert recall.find("space on disk")[0].document.id == "runbook/DISK"
        assert "needs sentence-transformers" in recall.note


def test_deleting_the_index_changes_nothing(library, clock, tmp_path, embedder) -> None:
    import shutil

    def found() -> list[tuple[str, float]]:
        with Recall(library, clock, tmp_path, "words") as recall:
            return [(hit.document.id, hit.score) for hit in recall.find("registry refuses the disk")]

    before = found()
    shutil.rmtree(tmp_path / "index")
    assert found() == before


def test_a_quiet_daemon_can_let_the_model_go(library, clock, tmp_path: Path, embedder) -> None:
    with Recall(library, clock, tmp_path, "words") as recall:
        recall.release()
        assert embedder.released == 1
        assert recall.find("space on disk")
