"""`crew mcp`: the servers through which the crew asks other systems, tried by hand; and our own one, served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tools.mcp.gateway import Gateway, ServerState
    from tools.mcp.shaping import ToolResult
    from tools.mcp.trimming import McpTool

group = typer.Typer(epilog=example("crew mcp list"), no_args_is_help=True)

SERVER = typer.Argument(..., metavar="SERVER", help="A name that `crew mcp list` shows.")
MOST_AT_ONCE = 32
"""Servers that are started side by side; each takes a thread that waits."""
HOST, PORT = "127.0.0.1", 8781
COLOURS = {"ready": "green", "down": "red", "off": "dim"}


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="mcp", help="List and try MCP servers; serve our own.")


@group.command("list", epilog=example("crew mcp list"))
def list_servers(
    context: typer.Context,
    start: bool = typer.Option(
        True, "--start/--no-start", help="Start each configured server to see whether it works."
    ),
    as_json: bool = json_option(),
) -> None:
    """Show every MCP server: how it is reached and whether it works. One that is down is no error here."""
    from concurrent.futures import ThreadPoolExecutor

    from cli.mcp_context import gateway_of

    # The gateway inside of the pool: when Ctrl-C closes it first, the threads that wait for servers end at once.
    with ThreadPoolExecutor(max_workers=MOST_AT_ONCE) as pool, gateway_of(app_of(context)) as gateway:
        if not start:
            for server in gateway.servers:
                needs = f"needs {', '.join(server.missing)}" if server.missing else "configured"
                _print_line(server.name, "off" if server.missing else "set", needs, as_json)
            return
        for state in pool.map(gateway.state, [server.name for server in gateway.servers]):
            _print_state(state, as_json)


@group.command("tools", epilog=example("crew mcp tools --role sre --tokens"))
def list_tools(
    context: typer.Context,
    server: str = typer.Argument("", metavar="SERVER", help="One server; all configured ones when left out."),
    role: str = typer.Option("", "--role", metavar="ROLE", help="What this role is shown, at most eight tools."),
    tokens: bool = typer.Option(False, "--tokens", help="What the descriptions cost a model, and what trimming saves."),
    everything: bool = typer.Option(False, "--all", help="Also what the server serves and the list leaves out."),
    as_json: bool = json_option(),
) -> None:
    """Show the tools that may be used. Exit code 1 when the one server that was asked for does not work."""
    from cli.mcp_context import gateway_of, tools_of_role

    _refuse_odd_choices(server, role, everything)
    with gateway_of(app_of(context)) as gateway:
        if role:
            found, broken = tools_of_role(app_of(context), role, gateway)
        else:
            found, broken = _tools(gateway, [server] if server else [])
        for tool in found:
            _print_tool(tool, tokens, as_json)
        if everything and not broken:
            for name in gateway.unlisted(server):
                _print_line(name, "unlisted", "served, and not in the list: it cannot be called", as_json)
    if tokens and found and not as_json:
        spent, full = sum(tool.tokens for tool in found), sum(tool.full_tokens for tool in found)
        typer.echo(f"{len(found)} tools, about {spent:,} tokens; untrimmed {full:,}; saved {full - spent:,}")
    if not found and not broken and not as_json:
        typer.echo(_why_nothing(server, role))
    for problem in broken:
        typer.echo(f"not available: {problem}", err=True)
    if server and broken:
        raise typer.Exit(1)


@group.command("call", epilog=example("crew mcp call bitbucket list_repositories"))
def call_tool(
    context: typer.Context,
    server: str = SERVER,
    tool: str = typer.Argument(..., metavar="TOOL"),
    arguments: str = typer.Argument("{}", metavar="JSON", help='As in \'{"repository": "shop"}\'.'),
    seconds: float = typer.Option(0.0, "--deadline", metavar="SECONDS", min=0.0, help="Give up after so many seconds."),
    allow_changes: bool = typer.Option(False, "--allow-changes", help="Also call a tool that changes something."),
    as_json: bool = json_option(),
) -> None:
    """Call one tool and show its answer as a model would see it. Exit code 1 when it failed."""
    from cli.mcp_context import gateway_of

    values = _arguments(arguments)
    with gateway_of(app_of(context)) as gateway:
        result = gateway.call(server, tool, values, seconds=seconds or None, allow_changes=allow_changes)
    _print_result(result, as_json)
    if result.status == "error":
        raise typer.Exit(1)


@group.command("serve", epilog=example("crew mcp serve --http --port 8781"))
def serve(
    context: typer.Context,
    server: str = typer.Argument("bitbucket", metavar="SERVER", help="The server to serve: bitbucket."),
    http: bool = typer.Option(False, "--http", help="Streamable HTTP at /mcp instead of standard input and output."),
    host: str = typer.Option(
        "", "--host", metavar="ADDRESS", help=f"Where to listen: {HOST}. Elsewhere needs CREW_MCP__TOKEN."
    ),
    port: int | None = typer.Option(
        None, "--port", metavar="PORT", min=0, max=65535, help=f"{PORT}; 0 takes a free one."
    ),
    name: list[str] = typer.Option(
        [], "--name", metavar="NAME", help="A further host name by which callers reach us; repeatable."
    ),
) -> None:
    """Serve our own MCP server to another program."""
    from cli.mcp_context import serve_http, serve_stdio
    from opscrew.errors import UsageError

    app = app_of(context)
    if http:
        serve_http(app, server, host or HOST, PORT if port is None else port, name)
    elif host or port is not None or name:
        raise UsageError("--host, --port and --name are for --http", "Without it we speak over standard output.")
    else:
        serve_stdio(app, server)


def _tools(gateway: Gateway, names: Sequence[str]) -> tuple[list[McpTool], list[str]]:
    """The tools of these servers, or of every configured one; and what did not work, in words."""
    from tools.errors import UpstreamError

    found: list[McpTool] = []
    broken: list[str] = []
    for name in names or [server.name for server in gateway.servers if server.is_configured]:
        try:
            found += gateway.tools(name)
        except UpstreamError as problem:
            broken.append(f"{name}: {problem.message}" + (f" ({problem.hint})" if problem.hint else ""))
    return found, broken


def _refuse_odd_choices(server: str, role: str, everything: bool) -> None:
    """Those of which one would be passed over in silence."""
    from opscrew.errors import UsageError

    if server and role:
        raise UsageError("a server and --role do not go together", "A role's tools come from several servers.")
    if everything and not server:
        raise UsageError("--all needs a server", "As in `crew mcp tools grafana --all`.")


def _why_nothing(server: str, role: str) -> str:
    if server:
        return f"The list names no tool of {server}; `crew mcp tools {server} --all` shows what it serves."
    which = f"None of the servers that {role} uses" if role else "No MCP server"
    return f"{which} is configured; `crew mcp list` says what each one needs."


def _arguments(text: str) -> dict[str, Any]:
    import json

    from opscrew.errors import UsageError

    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise UsageError(f"the arguments are not JSON: {problem}", 'Write them as \'{"name": "value"}\'.') from problem
    if not isinstance(values, dict):
        raise UsageError("the arguments must be a JSON object", 'Write them as \'{"name": "value"}\'.')
    return values


def _print_state(state: ServerState, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json(asdict(state))
        return
    words = state.detail or f"{state.offered} of {state.served} tools offered, MCP {state.protocol}, {state.version}"
    if state.absent:
        words += f"; does not serve {', '.join(state.absent)}"
    _print_line(state.name, state.condition, f"{state.title}: {words}", as_json=False)
    if state.condition == "down" and state.hint:
        _print_line("", "", state.hint, as_json=False)


def _print_tool(tool: McpTool, tokens: bool, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json(asdict(tool))
        return
    cost = f"{tool.tokens:>4} of {tool.full_tokens:>4} tokens  " if tokens else ""
    mark = " (changes something: people only)" if tool.mutates else ""
    _print_line(f"{tool.server}.{tool.name}", "", f"{cost}{tool.description}{mark}", as_json=False)


def _print_line(name: str, condition: str, words: str, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "condition": condition, "detail": words})
        return
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 1))
    line.add_column(width=30 if "." in name else 18, overflow="fold")
    if condition:
        line.add_column(width=8)
    line.add_column(overflow="fold")
    cells = [Text(name), Text(condition, style=COLOURS.get(condition, ""))] if condition else [Text(name)]
    line.add_row(*cells, Text(words))
    console().print(line)


def _print_result(result: ToolResult, as_json: bool) -> None:
    if as_json:
        from dataclasses import asdict

        print_json(asdict(result))
    else:
        typer.echo(result.text, err=result.status == "error")
