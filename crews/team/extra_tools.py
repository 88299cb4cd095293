"""Tools of the crewai-tools package, for those who install the extra of that name.

The package is no part of the core: it takes seconds to import, and one of its dependencies is under the AGPL. A role
names a tool as ``crewai_tools.FileReadTool``; only ``EXTRA_TOOLS`` are accepted, and those only read.
"""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING, Any

from crews.team.toolbox import LONGEST_RESULT, ToolResult, ToolSpec
from opscrew.errors import UsageError
from opscrew.redaction import redact
from tools.mcp.servers import ToolEntry, function_name
from tools.mcp.shaping import shape
from tools.mcp.trimming import trim

if TYPE_CHECKING:
    from crews.team.roles import Role

PACKAGE = "crewai_tools"
EXTRA_TOOLS = (f"{PACKAGE}.DirectoryReadTool", f"{PACKAGE}.FileReadTool")


def extra_tools(role: Role) -> list[ToolSpec]:
    """One ``ToolSpec`` for each crewai-tools tool that the role names; empty for a role that names none.

    Import happens here, so call it after ``switches.set_switches``. Raises ``UsageError`` without the extra.
    """
    names = [name.removeprefix(f"{PACKAGE}.") for name in role.tools if name.startswith(f"{PACKAGE}.")]
    if not names:
        return []
    if importlib.util.find_spec(PACKAGE) is None:
        raise UsageError(
            f"the role {role.role} names {PACKAGE}.{names[0]}, and crewai-tools is not installed",
            "Install it with `pip install 'opscrew[crewai-tools]'`, or take the tool out of agents/.",
        )
    package = importlib.import_module(PACKAGE)
    return [_spec(package, name) for name in names]


def _spec(package: Any, name: str) -> ToolSpec:
    kind = getattr(package, name, None)
    if kind is None:
        raise UsageError(f"the installed crewai-tools has no {name}", "Look at its changelog; tools get renamed.")
    tool = kind()

    def call(arguments: dict[str, Any]) -> ToolResult:
        # These tools tell a failure as a text like any other, as some MCP servers do.
        result = shape(str(tool.run(**arguments)), failed=False, limit=LONGEST_RESULT, clean=redact)
        return ToolResult(result.text, failed=result.status == "error")

    short = trim(PACKAGE, name, tool.description, tool.args_schema.model_json_schema(), ToolEntry())
    return ToolSpec(function_name(PACKAGE, name), short.description, short.parameters, call)
