"""The roles and tasks as people wrote them in ``agents/`` and ``tasks/``, loaded once and checked strictly."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crews.team.extra_tools import EXTRA_TOOLS
from crews.team.outputs import OUTPUTS
from crews.team.toolbox import ToolSpec
from opscrew.errors import UsageError
from opscrew.strict_yaml import line_of, load_strictly, read_strictly
from tools.mcp.servers import SERVERS_FILE, ServerList

ROOT = Path(__file__).resolve().parents[2]
AGENTS, TASKS = ROOT / "agents", ROOT / "tasks"
SCHEDULE = "schedule.yaml"
MOST_TOOLS = 8
"""A tool costs 105 to 170 prompt tokens on each call, and small models choose badly among many."""

_TOOL = re.compile(r"[a-z][a-z0-9_]*\.(\*|[A-Za-z0-9_./-]+)")


def _one_server_and_tool(name: str) -> str:
    if not _TOOL.fullmatch(name):
        raise ValueError(f"{name!r} is no tool; write server.tool, or server.* for all of one server")
    return name


class Entry(BaseModel):
    """Fields of a data file: all known, none empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, str_min_length=1)


class Role(Entry):
    """Who thinks. ``tools`` are names "server.tool" of the list of MCP servers; ``server.*`` stands for all of one."""

    role: str
    goal: str
    backstory: str
    tools: tuple[Annotated[str, AfterValidator(_one_server_and_tool)], ...] = Field(default=(), max_length=MOST_TOOLS)

    def may_use(self, server: str, tool: str) -> bool:
        """Deny by default."""
        return f"{server}.{tool}" in self.tools or f"{server}.*" in self.tools


class TaskText(Entry):
    """What is asked. ``output`` is a name from ``outputs.py``; ``needs_question`` is off for scheduled work."""

    role: str
    wording: str
    expected_output: str
    output: str
    needs_question: bool = True


@dataclass(frozen=True)
class Team:
    """Everything that ``agents/`` and ``tasks/`` say, by name (the file's name without its ending)."""

    roles: Mapping[str, Role]
    tasks: Mapping[str, TaskText]


def load_team(agents: Path = AGENTS, tasks: Path = TASKS, servers: Path | None = None) -> Team:
    """Reads both folders. Raises ``UsageError`` that names file and line of the first mistake.

    ``servers`` is a list of MCP servers of one's own, whose tools may be named beside those of the shipped one.
    """
    listed = _listed_tools(SERVERS_FILE) | (_listed_tools(servers) if servers else {})
    roles = {path.stem: load_strictly(path, Role) for path in _files(agents)}
    for name, role in roles.items():
        _check_tools(agents / f"{name}.yaml", role, listed)
    texts = {path.stem: load_strictly(path, TaskText) for path in _files(tasks) if path.name != SCHEDULE}
    for name, text in texts.items():
        if text.role not in roles:
            raise _unknown(tasks / f"{name}.yaml", ("role",), "role", text.role, list(roles))
        if text.output not in OUTPUTS:
            raise _unknown(tasks / f"{name}.yaml", ("output",), "output", text.output, list(OUTPUTS))
    return Team(roles, texts)


def role_names(agents: Path = AGENTS) -> tuple[str, ...]:
    """The roles that there are, without reading what they say."""
    return tuple(path.stem for path in _files(agents))


def allowed_tools(role: Role, offered: Sequence[ToolSpec]) -> list[ToolSpec]:
    """Those of ``offered`` that the role may use and that change nothing, at most eight.

    Functions carry a server's and a tool's name in one, joined by whatever sign a provider allows; the list of
    servers holds no two that read the same then.
    """
    return [
        tool
        for tool in offered
        if not tool.mutates and any(fnmatchcase(_plain(tool.name), _plain(named)) for named in role.tools)
    ][:MOST_TOOLS]


def _listed_tools(path: Path) -> dict[str, bool]:
    """Every tool that a role could name, and whether it changes something."""
    servers = load_strictly(path, ServerList).root
    listed = {
        f"{name}.{tool}": entry.mutates for name, server in servers.items() for tool, entry in server.tools.items()
    }
    return listed | dict.fromkeys(EXTRA_TOOLS, False)


def _check_tools(path: Path, role: Role, listed: Mapping[str, bool]) -> None:
    reading = [name for name, changes in listed.items() if not changes]
    for index, tool in enumerate(role.tools):
        place = ("tools", index)
        if listed.get(tool):
            raise _wrong(path, place, f"{tool} changes something", "No model is given such a tool; take it out.")
        if not any(fnmatchcase(name, tool) for name in reading):
            raise _unknown(path, place, "tool", tool, reading)
        if tool in role.tools[:index]:
            raise _wrong(path, place, f"{tool} stands there twice", "Keep one of the two.")


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise UsageError(f"{folder} holds no YAML files", "Restore the folder from the release.")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9*]+", "_", name.lower())


def _unknown(path: Path, place: tuple[int | str, ...], what: str, name: str, known: list[str]) -> UsageError:
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known[:12])}."
    return _wrong(path, place, f"there is no {what} {name}", hint)


def _wrong(path: Path, place: tuple[int | str, ...], what: str, hint: str) -> UsageError:
    _, tree = read_strictly(path)
    return UsageError(f"{path} line {line_of(tree, place)}: {what}", hint)
