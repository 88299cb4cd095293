"""Every tool that a role names, as large as a prompt may show it: what a crew with all its servers up would offer."""

from __future__ import annotations

from typing import Any

from crews.ask.tools import AnswerTools
from crews.team.gateway_tools import RoleTools
from crews.team.roles import Role
from crews.team.toolbox import LONGEST_RESULT, ToolResult, ToolSpec

DESCRIPTION = "Lists what there is of one kind of object by its name, with state, age and the latest change of each."
PARAMETERS = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "description": "What is looked for, by its name or the beginning of it."},
        "start": {"type": "string", "description": "The first moment, as in 2026-10-06T12:00:00Z."},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    },
    "required": ["name"],
}
LINE = "cart-7f9c6d8b54-x2k4q | checkout | Warning | BackOff | 12 times | Back-off restarting failed container\n"


class EveryTool(AnswerTools):
    """In place of the gateway: nothing is started."""

    def __init__(self) -> None:
        """Has nothing to open."""

    def __exit__(self, *_: object) -> None:
        """Has nothing to close."""

    def begin(self, name: str, role: Role) -> None:
        """Everything is there already."""

    def of(self, name: str, role: Role, seconds: float) -> RoleTools:
        return RoleTools(tuple(_spec(tool) for tool in role.tools), ())


def _spec(tool: str) -> ToolSpec:
    def call(arguments: dict[str, Any]) -> ToolResult:
        return ToolResult((LINE * 50)[:LONGEST_RESULT])

    return ToolSpec(tool.replace(".", "_"), DESCRIPTION, PARAMETERS, call)
