"""`crew knowledge`: searches, adds, lists, removes, and ranks batches."""

import json
from pathlib import Path

import pytest

from opscrew.memory.library import Library
from tests.support.crew_command import CrewCommand
from tests.support.embedding_model import place_converted_model


@pytest.fixture
def crew(monkeypatch, capsys, tmp_path) -> CrewCommand:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CREW_MEMORY__EMBEDDING", "none")
    return CrewCommand(monkeypatch, capsys)


def lines(path: Path, *rows: dict[str, str]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_a_search_names_the_page_and_fits_the_screen(crew) -> None:
    found = crew("knowledge", "search", "pod", "crash", "looping", "--top", "2")
    assert found.code == 0
    assert "runbook/POD_CRASH_LOOPING" in found.out
    assert max(map(len, found.out.splitlines())) <= 80


def test_the_list_fits_the_screen_too(crew) -> None:
    listed = crew("knowledge", "list").out.splitlines()
    assert len(listed) > 50
    assert max(map(len, listed)) <= 80


def test_json_is_one_object_a_line_with_what_can_be_compared(crew) -> None:
    found = crew("knowledge", "search", "--json", "--kind", "runbook", "--top", "3", "pod crash looping")
    rows = [json.loads(line) for line in found.out.splitlines()]
    assert rows[0]["id"] == "runbook/POD_CRASH_LOOPING"
    assert rows[0]["relevant"] is True
    assert {row["kind"] for row in rows} == {"runbook"}


def test_a_question_from_another_field_says_that_nothing_fits(crew) -> None:
    assert "Nothing" in crew("knowledge", "search", "recipe for a chocolate cake").out


def test_a_note_can_be_added_found_and_removed(crew, tmp_path) -> None:
    (tmp_path / "vpn.md").write_text("# Office tunnel\n\nThe gateway drops idle tunnels at noon.", encoding="utf-8")
    assert "note/vpn" in crew("knowledge", "add", "vpn.md").out
    assert "note/vpn" in crew("knowledge", "search", "idle tunnel gateway", "--top", "1").out
    assert "note/vpn" in crew("knowledge", "list", "--kind", "note").out
    assert crew("knowledge", "remove", "note/vpn").code == 0
    assert "note/vpn" not in crew("knowledge", "list").out


def test_a_removed_note_leaves_the_vector_index_too(crew, tmp_path, monkeypatch, pytestconfig) -> None:
    place_converted_model(pytestconfig.cache, tmp_path / "data" / "models")
    monkeypatch.setenv("CREW_MEMORY__EMBEDDING", "all-MiniLM-L6-v2")
    monkeypatch.setenv("CREW_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(Library.__init__, "__defaults__", (tmp_path,))  # no files: embedding them takes a while
    (tmp_path / "zebrafish.md").write_text("# Office tunnel\n\nThe gateway drops idle tunnels.", encoding="utf-8")
    crew("knowledge", "add", "zebrafish.md")
    crew("knowledge", "search", "idle tunnel gateway")
    index = tmp_path / "data" / "index"
    assert names_in(index, "zebrafish")
    assert crew("knowledge", "remove", "note/zebrafish").code == 0
    assert names_in(index, "zebrafish") == []


def names_in(folder: Path, word: str) -> list[str]:
    """Files that hold ``word``, Chroma's and the copy for those who only read."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if word.encode() in path.read_bytes().replace(b"\0", b"")]


def test_a_batch_gives_one_ranking_a_line_in_order(crew, tmp_path) -> None:
    docs = lines(
        tmp_path / "d.jsonl",
        {"id": "a", "title": "Disk full", "text": "no space"},
        {"id": "b", "title": "", "text": "registry refuses"},
    )
    asked = lines(
        tmp_path / "q.jsonl",
        {"query_id": "1", "query": "registry"},
        {"query_id": "2", "query": "node_disk_full_ratio > 0.9"},
    )
    found = crew("knowledge", "search", "--docs", docs, "--queries", asked)
    assert [json.loads(line) for line in found.out.splitlines()] == [
        {"query_id": "1", "ranked": ["b", "a"]},
        {"query_id": "2", "ranked": ["a", "b"]},
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["search"], "nothing to search for"),
        (["search", "--docs", "d.jsonl"], "needs --docs and --queries"),
        (["search", "x", "--kind", "poem"], "no kind poem"),
        (["list", "--kind", "poem"], "no kind poem"),
    ],
)
def test_a_command_written_wrongly_says_how_in_one_line(crew, arguments, message) -> None:
    found = crew("knowledge", *arguments)
    assert found.code == 2
    assert message in found.err.splitlines()[0]
    assert found.out == ""


def test_a_batch_that_is_not_there_is_one_line(crew) -> None:
    found = crew("knowledge", "search", "--docs", "absent", "--queries", "absent")
    assert (found.code, found.out) == (1, "")
    assert "cannot read absent" in found.err.splitlines()[0]


def test_a_bad_line_is_named_with_file_and_number(crew, tmp_path) -> None:
    docs = lines(tmp_path / "d.jsonl", {"id": "a", "title": "t", "text": "x"}, {"id": "b"})
    asked = lines(tmp_path / "q.jsonl", {"query_id": "1", "query": "x"})
    found = crew("knowledge", "search", "--docs", docs, "--queries", asked)
    assert (found.code, "d.jsonl line 2: text is missing" in found.err) == (2, True)


@pytest.mark.parametrize("line", ['{"id": "\\ud800", "text": "x"}', "[" * 100_000])
def test_a_line_that_no_text_can_be_made_of_is_named(line, crew, tmp_path) -> None:
    (tmp_path / "d.jsonl").write_text(line, encoding="utf-8")
    asked = lines(tmp_path / "q.jsonl", {"query_id": "1", "query": "x"})
    found = crew("knowledge", "search", "--docs", "d.jsonl", "--queries", asked)
    assert (found.code, "d.jsonl line 1: not valid JSON" in found.err) == (2, True)


def test_adding_what_is_not_there_and_removing_what_ships_fail_kindly(crew) -> None:
    assert "cannot read nothing.md" in crew("knowledge", "add", "nothing.md").err
    refused = crew("knowledge", "remove", "runbook/POD_CRASH_LOOPING")
    assert (refused.code, "file of the project" in refused.err) == (1, True)
