"""Stand-ins for mcp-victoriametrics and mcp-victorialogs: the tools of the real ones, by name and parameters.

They are programs that speak MCP over standard input and output, read the same environment variables, and pass each
question on to a real VictoriaMetrics or VictoriaLogs. Run as ``python mcp_standins.py victoriametrics|victorialogs``.
Descriptions are our own; ``tests/real/test_mcp_servers.py`` compares names and parameters with recorded ones.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass
from typing import Any

import httpx

STRING, NUMBER, BOOLEAN, ARRAY = "string", "number", "boolean", "array"


@dataclass(frozen=True)
class Standin:
    """``path`` answers the question; ``fields`` are parameters and their types, ``required`` those that must be."""

    path: str
    fields: dict[str, str]
    required: tuple[str, ...] = ()


SPAN = {"start": STRING, "end": STRING}
LOG_SPAN = {"query": STRING, "start": STRING, "end": STRING, "tenant": STRING}

VICTORIAMETRICS = {
    "active_queries": Standin("/api/v1/status/active_queries", {}),
    "alerts": Standin("/api/v1/alerts", {"group": STRING, "limit": NUMBER, "offset": NUMBER, "state": STRING}),
    "documentation": Standin("", {"limit": NUMBER, "query": STRING}, ("query",)),
    "explain_query": Standin("", {"query": STRING}, ("query",)),
    "label_values": Standin(
        "/api/v1/label/{label_name}/values",
        SPAN | {"label_name": STRING, "limit": NUMBER, "match": STRING},
        ("label_name",),
    ),
    "labels": Standin("/api/v1/labels", SPAN | {"limit": NUMBER, "match": STRING}),
    "metric_statistics": Standin(
        "/api/v1/status/metric_names_stats", {"le": NUMBER, "limit": NUMBER, "match_pattern": STRING}
    ),
    "metrics": Standin("/api/v1/label/__name__/values", SPAN | {"limit": NUMBER, "match": STRING}),
    "metrics_metadata": Standin(
        "/api/v1/metadata", {"limit": NUMBER, "metric": STRING, "search": STRING, "type": STRING, "unit": STRING}
    ),
    "prettify_query": Standin("/prettify-query", {"query": STRING}, ("query",)),
    "query": Standin(
        "/api/v1/query",
        {"nocache": BOOLEAN, "query": STRING, "step": STRING, "time": STRING, "timeout": STRING, "trace": BOOLEAN},
        ("query",),
    ),
    "query_range": Standin(
        "/api/v1/query_range",
        SPAN | {"nocache": BOOLEAN, "query": STRING, "step": STRING, "timeout": STRING, "trace": BOOLEAN},
        ("query", "start"),
    ),
    "rules": Standin(
        "/api/v1/rules",
        {
            "exclude_alerts": BOOLEAN,
            "filter": STRING,
            "rule_files": ARRAY,
            "rule_groups": ARRAY,
            "rule_names": ARRAY,
            "type": STRING,
        },
    ),
    "series": Standin("/api/v1/series", SPAN | {"limit": NUMBER, "match": STRING}),
    "top_queries": Standin("/api/v1/status/top_queries", {"maxLifetime": STRING, "topN": NUMBER}, ("topN",)),
    "tsdb_status": Standin(
        "/api/v1/status/tsdb",
        {"date": STRING, "extraLabel": STRING, "focusLabel": STRING, "match": STRING, "topN": NUMBER},
    ),
}

VICTORIALOGS = {
    "documentation": Standin("", {"limit": NUMBER, "query": STRING}, ("query",)),
    "facets": Standin(
        "/select/logsql/facets",
        LOG_SPAN
        | {"keep_const_fields": BOOLEAN, "limit": NUMBER, "max_value_len": NUMBER, "max_values_per_field": NUMBER},
        ("query", "start", "end"),
    ),
    "field_names": Standin("/select/logsql/field_names", LOG_SPAN, ("query", "start")),
    "field_values": Standin(
        "/select/logsql/field_values", LOG_SPAN | {"field": STRING, "limit": NUMBER}, ("query", "start", "field")
    ),
    "flags": Standin("/flags", {}),
    "hits": Standin(
        "/select/logsql/hits",
        LOG_SPAN | {"field": ARRAY, "fields_limit": NUMBER, "step": STRING},
        ("query", "start"),
    ),
    "query": Standin("/select/logsql/query", LOG_SPAN | {"limit": NUMBER, "timeout": STRING}, ("query", "start")),
    "stats_query": Standin(
        "/select/logsql/stats_query", {"query": STRING, "tenant": STRING, "time": STRING}, ("query",)
    ),
    "stats_query_range": Standin("/select/logsql/stats_query_range", LOG_SPAN | {"step": STRING}, ("query", "start")),
    "stream_field_names": Standin("/select/logsql/stream_field_names", LOG_SPAN, ("query", "start")),
    "stream_field_values": Standin(
        "/select/logsql/stream_field_values", LOG_SPAN | {"field": STRING}, ("query", "start", "field")
    ),
    "stream_ids": Standin("/select/logsql/stream_ids", LOG_SPAN, ("query", "start")),
    "streams": Standin("/select/logsql/streams", LOG_SPAN, ("query", "start")),
}

SERVERS = {"victoriametrics": (VICTORIAMETRICS, "VM"), "victorialogs": (VICTORIALOGS, "VL")}


def schema_of(tool: Standin) -> dict[str, Any]:
    """The input schema, as small as the protocol allows."""
    kinds = {ARRAY: {"type": "array", "items": {"type": "string"}}}
    return {
        "type": "object",
        "properties": {name: kinds.get(kind, {"type": kind}) for name, kind in tool.fields.items()},
        "required": list(tool.required),
    }


def ask(url: str, tool: Standin, arguments: dict[str, Any]) -> tuple[str, bool]:
    """The store's answer, and whether it refused."""
    values = {("match[]" if name == "match" else name): value for name, value in arguments.items()}
    path = tool.path.format(**{name: str(value) for name, value in arguments.items()})
    answer = httpx.get(url.rstrip("/") + path, params=values, timeout=60, trust_env=False)
    return answer.text, not answer.is_success


async def main(name: str) -> None:
    from mcp.server.lowlevel import Server
    from mcp.server.stdio import stdio_server
    from mcp.types import CallToolResult, TextContent, Tool, ToolAnnotations

    tools, prefix = SERVERS[name]
    off = os.environ.get("MCP_DISABLED_TOOLS", "").split(",")
    offered = {tool: one for tool, one in tools.items() if tool not in off}
    url = os.environ[f"{prefix}_INSTANCE_ENTRYPOINT"]
    server: Server[Any, Any] = Server(f"mcp-{name}")

    async def list_tools() -> list[Tool]:
        return [
            Tool(
                name=tool,
                description=f"Asks {one.path or 'the manual'}.",
                inputSchema=schema_of(one),
                annotations=ToolAnnotations(readOnlyHint=True, destructiveHint=False, openWorldHint=True),
            )
            for tool, one in offered.items()
        ]

    async def call_tool(tool: str, arguments: dict[str, Any]) -> CallToolResult:
        text, failed = await asyncio.to_thread(ask, url, offered[tool], arguments)
        return CallToolResult(content=[TextContent(type="text", text=text)], isError=failed)

    server.list_tools()(list_tools)
    server.call_tool()(call_tool)
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
