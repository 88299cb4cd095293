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

from crews.team.strict_yaml import line_of, load_strictly
from opscrew.errors import UsageError
from opscrew.redaction import redact
from opscrew.settings import Settings
from tools.mcp.gateway import Gateway
from tools.mcp.servers import REFERENCE, SERVERS_FILE, Server, ServerList, resolve

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server as OwnServer

OwnServers = Mapping[str, Callable[[], "OwnServer[Any, Any]"]]


def load_servers(settings: Settings, own: OwnServers) -> tuple[Server, ...]:
    """Raises ``UsageError`` that names file and line for anything unknown in the list."""
    path = settings.mcp.servers or SERVERS_FILE
    entries = load_strictly(path, ServerList).root
    for name, entry in entries.items():
        if entry.built_in and name not in own:
            raise _wrong(
                path, (name, "built_in"), f"there is no built-in server {name}", f"There are: {', '.join(own)}."
            )
    _check_names(settings, entries)
    _check_references(path)
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
    return Gateway(load_servers(settings, own), clean=redact, built_in=own)


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


def _check_names(settings: Settings, entries: Mapping[str, Any]) -> None:
    """A misspelt server in crew.yaml would otherwise silently change nothing."""
    for key, names in (("without", settings.mcp.without), ("urls", settings.mcp.urls), ("tokens", settings.mcp.tokens)):
        for name in names:
            if name not in entries:
                raise UsageError(f"mcp.{key}: there is no MCP server {name}", f"There are: {', '.join(entries)}.")


def _check_references(path: Path) -> None:
    """Every setting that the file names must exist, so that a misspelt one does not read as "not set"."""
    text = path.read_text(encoding="utf-8")
    for number, line in enumerate(text.splitlines(), start=1):
        for name in REFERENCE.findall(line.partition(" #")[0] if not line.lstrip().startswith("#") else ""):
            if name.split(".")[0] not in Settings.model_fields:
                raise UsageError(f"{path} line {number}: there is no setting {name}", "docs/SETTINGS.md lists them.")


def _wrong(path: Path, place: tuple[str, ...], what: str, hint: str) -> UsageError:
    line = line_of(yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader), place)
    return UsageError(f"{path} line {line}: {what}", hint)
