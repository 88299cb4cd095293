"""`crew init` writes a file that loads, and never over another one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opscrew import settings_file
from opscrew.settings import STARTER_FILE
from tests.support.crew_program import crew


def test_it_writes_once_and_keeps_what_is_there(tmp_path: Path) -> None:
    assert json.loads(crew(tmp_path, "init", "--json").stdout) == {"path": "crew.yaml"}
    written = tmp_path / "crew.yaml"
    assert written.read_text() == STARTER_FILE.read_text()
    written.write_text("timezone: Europe/Berlin\n")
    again = crew(tmp_path, "init")
    assert (again.returncode, again.stdout) == (2, "")
    assert "crew.yaml is there already" in again.stderr
    assert written.read_text() == "timezone: Europe/Berlin\n"
    assert crew(tmp_path, "init", "--force").returncode == 0
    assert written.read_text() == STARTER_FILE.read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["crew.yaml"]


def test_print_writes_nothing(tmp_path: Path) -> None:
    assert crew(tmp_path, "init", "--print").stdout == STARTER_FILE.read_text()
    assert list(tmp_path.iterdir()) == []


def test_print_as_json_is_json_alone(tmp_path: Path) -> None:
    assert json.loads(crew(tmp_path, "init", "--print", "--json").stdout) == {"text": STARTER_FILE.read_text()}


def test_a_folder_that_is_missing_is_one_clear_line(tmp_path: Path) -> None:
    ended = crew(tmp_path, "init", "--path", "no/such/folder/crew.yaml")
    assert ended.returncode == 1
    assert "cannot write no/such/folder/crew.yaml" in ended.stderr
    assert len(ended.stderr.splitlines()) == 2


@pytest.mark.parametrize("name", ["acme", "{3f2504e0-4f89-41d3-9a0c-0305e82c3301}"])
def test_a_workspace_is_filled_in_and_switched_on(tmp_path: Path, name: str) -> None:
    assert crew(tmp_path, "init", "--workspace", name).returncode == 0
    loaded = settings_file.load(tmp_path / "crew.yaml")
    assert loaded.bitbucket is not None
    assert loaded.bitbucket.workspace == name


def test_what_is_no_workspace_writes_nothing(tmp_path: Path) -> None:
    ended = crew(tmp_path, "init", "--workspace", "acme/shop")
    assert ended.returncode == 2
    assert "acme/shop is no workspace" in ended.stderr
    assert list(tmp_path.iterdir()) == []
