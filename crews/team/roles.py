"""The roles and tasks as people wrote them in ``agents/`` and ``tasks/``, loaded once and checked strictly."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, RootModel

from crews.team.outputs import OUTPUTS
from crews.team.strict_yaml import line_of, load_strictly
from crews.team.toolbox import ToolSpec
from opscrew.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
KNOWN_TOOLS = Path(__file__).with_name("known_tools.yaml")
SCHEDULE = "schedule.yaml"
MOST_TOOLS = 8
"""A tool costs 105 to 170 prompt tokens on each call, and small models choose badly among many."""


class Entry(BaseModel):
    """Fields of a data file: all known, none empty."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, str_min_length=1)


class Role(Entry):
    """Who thinks. ``tools`` are names "server.tool" from ``known_tools.yaml``; ``server.*`` stands for all of one."""

    role: str
    goal: str
    backstory: str
    tools: tuple[str, ...] = Field(default=(), max_length=MOST_TOOLS)

    def may_use(self, tool: str) -> bool:
        """Deny by default. ``tool`` may be joined by any sign ("grafana__list_datasources")."""
        return any(fnmatchcase(_plain(tool), _plain(allowed)) for allowed in self.tools)


class TaskText(Entry):
    """What is asked. ``output`` is a name from ``outputs.py``; ``needs_question`` is off for scheduled work."""

    role: str
    wording: str
    expected_output: str
    output: str
    needs_question: bool = True


class _KnownTools(RootModel[dict[str, tuple[str, ...]]]):
    """Tool names by server."""


@dataclass(frozen=True)
class Team:
    """Everything that ``agents/`` and ``tasks/`` say, by name (the file's name without its ending)."""

    roles: Mapping[str, Role]
    tasks: Mapping[str, TaskText]


def load_team(agents: Path = ROOT / "agents", tasks: Path = ROOT / "tasks") -> Team:
    """Reads both folders. Raises ``UsageError`` that names file and line of the first mistake."""
    known = [f"{server}.{tool}" for server, tools in _known_tools().items() for tool in tools]
    roles = {path.stem: load_strictly(path, Role) for path in _files(agents)}
    for name, role in roles.items():
        for index, tool in enumerate(role.tools):
            if not any(fnmatchcase(candidate, tool) for candidate in known):
                raise _unknown(agents / f"{name}.yaml", ("tools", index), "tool", tool, known)
    texts = {path.stem: load_strictly(path, TaskText) for path in _files(tasks) if path.name != SCHEDULE}
    for name, text in texts.items():
        if text.role not in roles:
            raise _unknown(tasks / f"{name}.yaml", ("role",), "role", text.role, list(roles))
        if text.output not in OUTPUTS:
            raise _unknown(tasks / f"{name}.yaml", ("output",), "output", text.output, list(OUTPUTS))
    return Team(roles, texts)


def allowed_tools(role: Role, offered: Sequence[ToolSpec]) -> list[ToolSpec]:
    """Those of ``offered`` that the role may use and that change nothing, at most eight."""
    return [tool for tool in offered if not tool.mutates and role.may_use(tool.name)][:MOST_TOOLS]


def _known_tools() -> dict[str, tuple[str, ...]]:
    return load_strictly(KNOWN_TOOLS, _KnownTools).root


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise UsageError(f"{folder} holds no YAML files", "Restore the folder from the release.")
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9*]+", "_", name.lower())


def _unknown(path: Path, place: tuple[int | str, ...], what: str, name: str, known: list[str]) -> UsageError:
    line = line_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), place)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"There are: {', '.join(known[:12])}."
    return UsageError(f"{path} line {line}: there is no {what} {name}", hint)
