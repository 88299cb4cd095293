"""Checks of the MCP servers that are configured: does each start, and which protocol did it settle on."""

from __future__ import annotations

from crews.checks.check import Check, Level, Result, off
from crews.mcp.servers import load_servers, refuse_mistakes
from crews.runtime.systems import Systems
from opscrew.errors import CrewError
from opscrew.redaction import redact
from opscrew.settings import Settings
from tools.mcp.gateway import Gateway
from tools.mcp.servers import Server


def mcp_checks(settings: Settings) -> tuple[Check, ...]:
    """One check for each server that runs outside this program; our own is covered by the check of its system."""
    try:
        refuse_mistakes(settings)
        servers = load_servers(settings)
    except CrewError as problem:
        wrong = Result(Level.FAILED, problem.message, problem.hint)
        return (Check("mcp", lambda _: wrong),)
    wanted = [server for server in servers if server.is_configured and not server.entry.built_in]
    if not wanted:
        return off("mcp", "Servers follow from the systems in crew.yaml; docs/MCP.md lists them.")
    return tuple(_check(server) for server in wanted)


def _check(server: Server) -> Check:
    def look(systems: Systems) -> Result:
        with Gateway((server,), clean=redact) as gateway:
            state = gateway.state(server.name)
        if state.condition != "ready":
            # Sweeps and re-runs need no MCP server, so this is no failure of the crew.
            return Result(Level.WARNING, f"{state.title}: {state.detail}", state.hint)
        missing = f"; does not serve {', '.join(state.absent)}" if state.absent else ""
        text = f"{state.title}, MCP {state.protocol}, {state.offered} tools{missing}"
        return Result(Level.WARNING if missing else Level.OK, text)

    return Check(f"mcp {server.name}", look)
