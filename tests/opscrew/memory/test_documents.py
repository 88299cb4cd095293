"""Files become documents, documents become pieces with steady ids."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from opscrew.errors import CrewError
from opscrew.memory.documents import LONGEST_PIECE, Document, opening, pieces, read_file

TEXT = "# Title\n\nAbove.\n\n## Meaning\n\nIt fills.\n\n## Diagnosis\n\n```\n# not a heading\n```\n\nLook.\n"


def written(folder: Path, content: str) -> Path:
    path = folder / "disk.md"
    path.write_text(content, encoding="utf-8")
    return path


def test_the_header_gives_the_fields_and_the_heading_the_title(tmp_path: Path) -> None:
    header = "---\ncode: VOLUME_FULL\nsystem: kubernetes\nkind: incident\ndate: 2026-03-01\nproven: true\n---\n"
    found = read_file(written(tmp_path, header + TEXT), "incident/disk", "incident")
    assert (found.title, found.code, found.system, found.proven) == ("Title", "VOLUME_FULL", "kubernetes", True)
    assert found.happened_at == datetime(2026, 3, 1, tzinfo=UTC)
    assert "code:" not in found.text


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("---\ncolour: red\n---\ntext", "unknown key colour"),
        ("---\nkind: poem\n---\ntext", "kind must be one of"),
        ("---\na: [\n---\ntext", "not valid YAML"),
        ("---\ndate: soon\n---\ntext", "date must be a day"),
        ("---\ndate: 2026-13-99\n---\ntext", "not valid YAML"),
        ("---\nproven: maybe\n---\ntext", "proven must be true or false"),
        ("---\ntitle: [a, b]\n---\ntext", "title must be a text"),
        ("   \n", "holds no text"),
    ],
)
def test_a_broken_file_is_named_with_its_fault(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CrewError, match=message) as caught:
        read_file(written(tmp_path, content), "note/disk")
    assert "disk.md" in caught.value.message


def test_a_file_that_is_no_text_or_not_there_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "x.md", tmp_path / "absent.md"):
        with pytest.raises(CrewError):
            read_file(path, "note/x")


def test_a_pipe_that_may_never_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(CrewError, match="no ordinary file"):
        read_file(tmp_path / "pipe.md", "note/pipe")


def test_pieces_follow_headings_but_not_comments_in_code() -> None:
    found = pieces(Document("d", "Disk", TEXT))
    assert [piece.id for piece in found] == ["d#title", "d#meaning", "d#diagnosis"]
    assert all(piece.text.startswith("Disk\n") for piece in found)
    assert "not a heading" in found[2].text


def test_editing_one_section_changes_one_digest_and_no_id() -> None:
    before = pieces(Document("d", "Disk", TEXT))
    after = pieces(Document("d", "Disk", TEXT.replace("It fills.", "It is full.")))
    assert [a.id for a in before] == [b.id for b in after]
    assert [a.digest == b.digest for a, b in zip(before, after, strict=True)] == [True, False, True]


def test_long_and_repeated_sections_are_cut_and_numbered() -> None:
    text = "## Notes\n\n" + "word " * 1000 + "\n\n## Notes\n\nagain"
    found = pieces(Document("d", "T", text))
    assert len({piece.id for piece in found}) == len(found)
    assert max(len(piece.text) for piece in found) <= LONGEST_PIECE + len("T\nNotes\n")
    assert "".join(piece.text for piece in found).count("word") == 1000


def test_a_document_without_text_still_has_one_piece_and_an_opening() -> None:
    assert [piece.text for piece in pieces(Document("d", "Only a title", ""))] == ["Only a title"]
    assert len(opening(Document("d", "T", TEXT * 5))) == 3
