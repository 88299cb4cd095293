"""What the commands of `crew mcp` work with: the gateway, a role's tools, and the serving of our own server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import typer

from cli.context import App
from crews.mcp.bitbucket import own_servers
from crews.mcp.servers import open_gateway
from crews.runtime.context import CrewContext
from crews.runtime.systems import Systems
from crews.team.gateway_tools import chosen_for
from crews.team.roles import load_team
from opscrew.clock import utc_now
from opscrew.errors import NotFoundError, UsageError
from opscrew.metrics import Metrics
from server.http.hosts import LOOPBACK_NAMES, is_loopback
from server.http.serving import bind, http_server, url_of
from tools.mcp.gateway import Gateway
from tools.mcp.trimming import McpTool


@contextmanager
def gateway_of(app: App) -> Iterator[Gateway]:
    """The gateway; the database is only opened when our own server is used."""
    with _context_of(app) as context, open_gateway(app.settings, own_servers(context)) as gateway:
        yield gateway


def tools_of_role(app: App, name: str, gateway: Gateway) -> tuple[list[McpTool], list[str]]:
    """What a role is shown, and the servers that did not work."""
    roles = load_team(servers=app.settings.mcp.servers).roles
    if name not in roles:
        raise NotFoundError(f"there is no role {name}", f"There are: {', '.join(roles)}.")
    tools, broken = chosen_for(name, roles[name], gateway)
    return list(tools), list(broken)


def serve_stdio(app: App, name: str) -> None:
    """Until standard input closes. Nothing else may be written to standard output meanwhile."""
    import asyncio

    from tools.mcp import serving

    with _context_of(app) as context:
        asyncio.run(serving.serve_stdio(_own(context, name)))


def serve_http(app: App, name: str, host: str, port: int, names: Sequence[str]) -> None:
    """Until interrupted. Raises ``UsageError`` when others could reach us and no token is asked of them."""
    from server.http.guard import Guard, Rules
    from tools.mcp.serving import ALIVE_PATH, MOST_SESSIONS, PATH, http_app

    token = app.settings.mcp.token.get_secret_value() if app.settings.mcp.token else ""
    if not token and not is_loopback(host):
        raise UsageError(
            f"{host} can be reached by others, and no token is set", "Set CREW_MCP__TOKEN, or listen on 127.0.0.1."
        )
    with _context_of(app) as context:
        application = http_app(_own(context, name), token=token, hosts=(host, *names))
        rules = Rules(
            hosts=frozenset((*LOOPBACK_NAMES, host.lower(), *(one.lower() for one in names))),
            token="",  # the application asks for it
            any_host=(ALIVE_PATH,),
            probes=(ALIVE_PATH,),
            most_requests=2 * MOST_SESSIONS,  # each session may hold one open to be told news
        )
        listener = bind(host, port, "Choose another --host or --port")
        typer.echo(f"serving {name} at {url_of(listener)}{PATH}", err=True)
        http_server(Guard(application, rules), lifespan="on").run(sockets=[listener])


@contextmanager
def _context_of(app: App) -> Iterator[Any]:
    with ExitStack() as stack:
        built: list[CrewContext] = []

        def context() -> CrewContext:
            if not built:
                metrics = Metrics()
                systems = stack.enter_context(Systems(app.settings, utc_now, metrics))
                built.append(
                    CrewContext(
                        settings=app.settings, engine=app.database, clock=utc_now, metrics=metrics, systems=systems
                    )
                )
            return built[0]

        yield context


def _own(context: Any, name: str) -> Any:
    servers = own_servers(context)
    if name not in servers:
        raise NotFoundError(f"{name} is not a server of ours", f"There are: {', '.join(servers)}.")
    return servers[name]()
