"""The gateway's tools in the shape that a team uses them: named server_tool, for one role, at most eight."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from crews.team.roles import MOST_TOOLS, Role
from crews.team.toolbox import ToolResult, ToolSpec
from tools.errors import UpstreamError
from tools.mcp.gateway import Gateway
from tools.mcp.servers import function_name
from tools.mcp.trimming import McpTool


@dataclass(frozen=True)
class RoleTools:
    """``unavailable`` names each server that the role would use and that did not start, with the reason."""

    tools: tuple[ToolSpec, ...]
    unavailable: tuple[str, ...]


NO_TOOLS = RoleTools((), ())


def tools_for(name: str, role: Role, gateway: Gateway, *, seconds: float | None = None) -> RoleTools:
    """What the role called ``name`` may use, ready to be called. Servers that are not up after ``seconds`` are
    unavailable for now; they go on starting."""
    tools, unavailable = chosen_for(name, role, gateway, seconds=seconds)
    return RoleTools(tuple(as_spec(tool, gateway) for tool in tools), unavailable)


def chosen_for(
    name: str, role: Role, gateway: Gateway, *, seconds: float | None = None
) -> tuple[tuple[McpTool, ...], tuple[str, ...]]:
    """The tools, and what did not start. A server must admit the role, and the role must name the tool.

    Servers are started side by side; one that does not start costs its own tools only. A server that is not
    configured is left out without a word, since nobody expects an answer from it.
    """
    admitting = [
        server.name
        for server in gateway.servers
        if server.is_configured
        and name in server.entry.roles
        and any(role.may_use(server.name, tool) for tool in server.entry.tools)
    ]
    if not admitting:
        return (), ()
    pool = ThreadPoolExecutor(max_workers=len(admitting), thread_name_prefix="mcp start")
    started = {server: pool.submit(_tools_of, gateway, server) for server in admitting}
    wait(started.values(), timeout=seconds)
    pool.shutdown(wait=False)
    answers = [_if_done(server, future) for server, future in started.items()]
    offered = {
        f"{tool.server}.{tool.name}": tool
        for answer in answers
        if not isinstance(answer, str)
        for tool in answer
        if not tool.mutates and role.may_use(tool.server, tool.name)
    }
    return tuple(offered.values())[:MOST_TOOLS], tuple(one for one in answers if isinstance(one, str))


def as_spec(tool: McpTool, gateway: Gateway) -> ToolSpec:
    """One tool of the gateway."""

    def call(arguments: dict[str, Any]) -> ToolResult:
        result = gateway.call(tool.server, tool.name, arguments)
        return ToolResult(result.text, failed=result.status == "error")

    return ToolSpec(function_name(tool.server, tool.name), tool.description, tool.parameters, call, tool.mutates)


def _if_done(server: str, started: Future[tuple[McpTool, ...] | str]) -> tuple[McpTool, ...] | str:
    return started.result() if started.done() else f"{server}: still starting"


def _tools_of(gateway: Gateway, server: str) -> tuple[McpTool, ...] | str:
    try:
        return gateway.tools(server)
    except UpstreamError as problem:
        return f"{server}: {problem.message}"
