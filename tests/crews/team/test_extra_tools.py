"""A role may name a tool of the crewai-tools package, when that is installed."""

from __future__ import annotations

import sys
import types

import pytest
from pydantic import BaseModel

from crews.team.extra_tools import EXTRA_TOOLS, extra_tools
from crews.team.roles import Role, allowed_tools, load_team
from crews.team.switches import set_switches
from opscrew.errors import UsageError

READER = Role(role="R", goal="G", backstory="B", tools=("crewai_tools.FileReadTool",))


class Arguments(BaseModel):
    file_path: str


class FileReadTool:
    """Has what the package's tools have: description, args_schema, run."""

    description = "Reads a file."
    args_schema = Arguments

    def run(self, file_path: str) -> str:
        return f"content of {file_path}"


def test_a_named_tool_is_offered_and_works(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("crewai_tools")
    package.FileReadTool = FileReadTool  # type: ignore[attr-defined]
    package.__spec__ = types.SimpleNamespace(name="crewai_tools")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "crewai_tools", package)
    tools = allowed_tools(READER, extra_tools(READER))
    assert [tool.name for tool in tools] == ["crewai_tools_FileReadTool"]
    assert tools[0].parameters["required"] == ["file_path"]
    assert tools[0].call({"file_path": "a.txt"}).text == "content of a.txt"


def test_a_tool_that_the_package_no_longer_has_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    package = types.ModuleType("crewai_tools")
    package.__spec__ = types.SimpleNamespace(name="crewai_tools")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "crewai_tools", package)
    with pytest.raises(UsageError, match="has no FileReadTool"):
        extra_tools(READER)


def test_without_the_extra_the_role_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="crewai-tools is not installed"):
        extra_tools(READER)


def test_a_failure_that_is_told_as_text_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(FileReadTool):
        def run(self, file_path: str) -> str:
            return f"Error: no file {file_path}"

    package = types.ModuleType("crewai_tools")
    package.FileReadTool = Failing  # type: ignore[attr-defined]
    package.__spec__ = types.SimpleNamespace(name="crewai_tools")  # type: ignore[assignment]
    monkeypatch.setitem(sys.modules, "crewai_tools", package)
    assert extra_tools(READER)[0].call({"file_path": "a"}).failed


def test_the_package_itself_reads_below_the_working_folder_alone(monkeypatch, tmp_path) -> None:
    set_switches(tmp_path / "data")
    pytest.importorskip("crewai_tools", reason="needs the extra crewai-tools")
    (tmp_path / "work").mkdir()
    (tmp_path / "work/note.txt").write_text("password=correct-horse\nread the note\n")
    (tmp_path / "outside.txt").write_text("outside")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("CREWAI_TOOLS_ALLOW_UNSAFE_PATHS", "true")
    set_switches(tmp_path / "data")
    role = READER.model_copy(update={"tools": EXTRA_TOOLS})
    tools = {tool.name: tool for tool in allowed_tools(role, extra_tools(role))}
    read = tools["crewai_tools_FileReadTool"]
    assert "read the note" in read.call({"file_path": "note.txt"}).text
    assert "correct-horse" not in read.call({"file_path": "note.txt"}).text
    refused = read.call({"file_path": str(tmp_path / "outside.txt")})
    assert (refused.failed, "outside the allowed" in refused.text) == (True, True)
    assert "note.txt" in tools["crewai_tools_DirectoryReadTool"].call({"directory": "."}).text


def test_our_own_roles_need_no_extra() -> None:
    assert all(extra_tools(role) == [] for role in load_team().roles.values())
