"""The list of MCP servers with the settings filled in, and the gateway over it.

``tools/mcp`` knows neither settings nor redaction nor our own database; this file gives it all three.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, SecretStr

from crews.mcp.list_file import load_list
from crews.team.roles import load_team, role_names
from opscrew.errors import UsageError
from opscrew.redaction import redact
from opscrew.settings import Settings
from tools.mcp.gateway import Gateway
from tools.mcp.servers import SERVERS_FILE, Server, ServerEntry, resolve

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server as OwnServer

OwnServers = Mapping[str, Callable[[], "OwnServer[Any, Any]"]]
BUILT_IN = ("bitbucket",)
"""Servers of our own; ``crews/mcp/bitbucket.py`` builds them."""


def refuse_mistakes(settings: Settings) -> None:
    """Raises ``UsageError`` for what roles, tasks and the list of servers cannot mean: when the crew starts, and not
    hours later when a model is first asked."""
    load_team(servers=settings.mcp.servers)
    _entries(settings)


def load_servers(settings: Settings) -> tuple[Server, ...]:
    """Raises ``UsageError`` that names file and line for anything unknown in the list."""
    entries = _entries(settings)
    tokens = {name: token.get_secret_value() for name, token in settings.mcp.tokens.items()}
    return tuple(
        resolve(
            name,
            entry,
            lambda setting: _value_named(settings, setting),
            url=settings.mcp.urls.get(name, ""),
            token=tokens.get(name, ""),
        )
        for name, entry in entries.items()
        if name not in settings.mcp.without
    )


def open_gateway(settings: Settings, own: OwnServers) -> Gateway:
    """Nothing is started before the first question. Close it, or use it as a context manager."""
    return Gateway(load_servers(settings), clean=redact, built_in=own)


def setting_named(settings: Settings, name: str) -> str | None:
    """The value of a dotted name ("grafana.url", "kubernetes.0.kubeconfig") as text; None where it is not set."""
    value: Any = settings
    for step in name.split("."):
        if isinstance(value, BaseModel):
            value = getattr(value, step, None)
        elif isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, tuple) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = None
        if value is None:
            return None
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, Path):
        return str(value.expanduser().absolute())
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _value_named(settings: Settings, name: str) -> str | None:
    """A setting, or the one value that is made of two: a cluster's kubeconfig with its context chosen."""
    if name.startswith("kubernetes.") and name.endswith(".kubeconfigs"):
        return _kubeconfigs(settings, name.removesuffix("s"))
    return setting_named(settings, name)


def _kubeconfigs(settings: Settings, name: str) -> str | None:
    """What KUBECONFIG holds. Programs have no switch for the context and would ask whichever cluster is current in
    the file; of several files, the first one's choice wins."""
    path = setting_named(settings, name)
    context = setting_named(settings, name.removesuffix("kubeconfig") + "context")
    if path is None or context is None:
        return path
    choice = settings.data_dir / "mcp" / f"{name.split('.')[1]}.kubeconfig"
    choice.parent.mkdir(parents=True, exist_ok=True)
    choice.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Config", "current-context": context}))
    return os.pathsep.join((str(choice.absolute()), path))


def _entries(settings: Settings) -> Mapping[str, ServerEntry]:
    """The list. A misspelt server in crew.yaml would otherwise silently change nothing."""
    entries = load_list(settings.mcp.servers or SERVERS_FILE, BUILT_IN, role_names())
    for key, names in (("without", settings.mcp.without), ("urls", settings.mcp.urls), ("tokens", settings.mcp.tokens)):
        for name in names:
            if name not in entries:
                raise UsageError(f"mcp.{key}: there is no MCP server {name}", f"There are: {', '.join(entries)}.")
    return entries
