"""An MCP server of one tool, to be served by our own serving."""

from __future__ import annotations

from typing import Any


def own_server() -> Any:
    from mcp.server.lowlevel import Server
    from mcp.types import TextContent, Tool

    server: Any = Server("own")

    async def list_tools() -> list[Tool]:
        return [Tool(name="hello", description="Says hello.", inputSchema={"type": "object", "properties": {}})]

    async def call_tool(name: str, arguments: dict[str, Any]) -> list[TextContent]:
        return [TextContent(type="text", text="hello")]

    server.list_tools()(list_tools)
    server.call_tool()(call_tool)
    return server
