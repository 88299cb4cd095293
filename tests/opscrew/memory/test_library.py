"""Files and added documents in one list; adding, replacing and removing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from opscrew.errors import CrewError
from opscrew.memory.documents import Document
from opscrew.memory.episodes import Remedy, episode
from opscrew.memory.library import Library
from opscrew.model.action import Action, ActionState
from opscrew.model.evidence import evidence
from opscrew.model.finding import Finding, Severity
from opscrew.model.subject import Subject
from opscrew.store.database import open_database
from tests.support.databases import migrated_sqlite

NOON = datetime(2026, 10, 6, 12, tzinfo=UTC)
PIPELINE = Subject(system="bitbucket", kind="pipeline", scope="acme/shop", name="#42")
FINDING = Finding(
    code="CI_TRANSIENT_NETWORK",
    severity=Severity.INFO,
    subject=PIPELINE,
    cause="The registry reset the connection.",
    evidence=(evidence("log", "read tcp: connection reset by peer, token=abcdef123456789", NOON),),
)
RERUN = Action(kind="rerun_pipeline", target=PIPELINE, reason="blip", idempotency_key="k")


@pytest.fixture
def shelves(tmp_path: Path) -> Path:
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "DISK.md").write_text("---\nkind: runbook\n---\n# Disk\n\ntext", encoding="utf-8")
    return tmp_path


def test_a_note_is_added_replaced_listed_and_removed(database, clock, shelves, tmp_path) -> None:
    library = Library(database, clock, shelves)
    note = tmp_path / "my note.md"
    for text in ("# First\n\nold", "# Second\n\nnew"):
        note.write_text(text, encoding="utf-8")
        assert library.add(note).id == "note/my-note"
    assert [(d.id, d.title) for d in library.documents()] == [("runbook/DISK", "Disk"), ("note/my-note", "Second")]
    library.remove("note/my-note")
    assert [d.id for d in library.documents()] == ["runbook/DISK"]


def test_the_header_of_a_note_is_kept_as_safely_as_its_text(database, clock, shelves, tmp_path) -> None:
    note = tmp_path / "odd\udcff.md"
    note.write_text("---\nsystem: password=correct-horse\nseverity: " + "x" * 99 + "\n---\ntext", encoding="utf-8")
    kept = Library(database, clock, shelves).add(note)
    assert "correct-horse" not in kept.system
    assert len(kept.severity) <= 16
    assert kept.source.endswith("odd?.md")


def test_what_was_removed_stands_in_no_file_of_the_database(tmp_path, clock, shelves) -> None:
    engine = open_database(migrated_sqlite(tmp_path / "crew.db"))
    library = Library(engine, clock, shelves)
    with engine.connect():  # another process, as a daemon, keeps the log of changes alive
        library.put(Document("note/z", "Z", "the zebrafish protocol"))
        library.remove("note/z")
        left = [path.name for path in tmp_path.glob("crew.db*") if b"zebrafish" in path.read_bytes()]
    engine.dispose()
    assert left == []


def test_project_files_are_neither_removed_nor_overwritten(database, clock, shelves) -> None:
    library = Library(database, clock, shelves)
    with pytest.raises(CrewError, match="file of the project"):
        library.remove("runbook/DISK")
    with pytest.raises(CrewError, match="file of the project"):
        library.put(Document("runbook/DISK", "t", "x"))
    with pytest.raises(CrewError, match="there is no document"):
        library.remove("note/none")


def test_a_broken_file_is_named_instead_of_missing_silently(database, clock, shelves) -> None:
    (shelves / "runbooks" / "BAD.md").write_text("---\nkind: poem\n---\nx", encoding="utf-8")
    with pytest.raises(CrewError, match=r"BAD\.md"):
        Library(database, clock, shelves).documents()


def test_an_episode_tells_what_was_done_and_whether_it_helped(database, clock, shelves) -> None:
    remedies = [Remedy(RERUN, ActionState.SUCCEEDED, "pipeline #43 passed")]
    made = episode(FINDING, NOON - timedelta(minutes=25), NOON, remedies, "Pipeline failed by a network blip")
    assert made.proven is True
    assert "for 25 minutes" in made.text
    assert "rerun_pipeline of pipeline acme/shop/#42, succeeded: pipeline #43 passed" in made.text
    kept = Library(database, clock, shelves).put(made)
    assert "abcdef123456789" not in kept.text
    assert Library(database, clock, shelves).documents()[-1] == kept
    assert replace(made, text="") == replace(kept, text="")


@pytest.mark.parametrize(
    ("states", "proven"),
    [
        ([], None),
        ([ActionState.DENIED], None),
        ([ActionState.FAILED], False),
        ([ActionState.FAILED, ActionState.SUCCEEDED], True),
    ],
)
def test_an_episode_is_proven_only_by_an_action_that_was_verified(states, proven) -> None:
    assert episode(FINDING, NOON, NOON, [Remedy(RERUN, state) for state in states]).proven is proven
