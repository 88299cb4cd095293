"""The list of MCP servers as a person wrote it, and every mistake in it that would otherwise only be silence.

A misspelt setting would read as "not set", a misspelt role as "not admitted", and a secret in the wrong field would
stand in the list of processes or in the logs of whoever is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from opscrew.errors import UsageError
from opscrew.settings import Settings
from opscrew.strict_yaml import line_of, load_strictly, read_strictly
from opscrew.web_address import mistake_in
from tools.mcp.servers import REFERENCE, ServerEntry, ServerList, function_name

Place = tuple[int | str, ...]

NAMES_OF_SECRETS = re.compile(r"(?:TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY)(?:S|\Z)")
"""A variable of such a name gets its value by reference; one that ends in _FILE names a file."""
SETTINGS_WITH_SECRETS = ("database",)
"""Not marked as secret, since most hold none; this one may hold a password in its address."""


def load_list(path: Path, own: Collection[str], roles: Collection[str]) -> Mapping[str, ServerEntry]:
    """The entries by name. ``own`` are the servers that are built in, ``roles`` those that there are.

    Raises ``UsageError`` that names file and line of the first mistake.
    """
    entries = load_strictly(path, ServerList).root
    for place, what, hint in _mistakes(entries, own, roles):
        _, tree = read_strictly(path)
        raise UsageError(f"{path} line {line_of(tree, place)}: {what}", hint)
    return entries


def _mistakes(
    entries: Mapping[str, ServerEntry], own: Collection[str], roles: Collection[str]
) -> Iterator[tuple[Place, str, str]]:
    """Where, what, and what to do instead."""
    functions: dict[str, str] = {}
    for name, entry in entries.items():
        if entry.built_in and name not in own:
            yield (name, "built_in"), f"there is no built-in server {name}", f"There are: {', '.join(own)}."
        for index, role in enumerate(entry.roles):
            if role not in roles:
                yield (name, "roles", index), f"there is no role {role}", f"There are: {', '.join(roles)}."
        mistake = mistake_in(REFERENCE.sub("x", entry.url)) if entry.url.partition("{")[0] else ""
        if mistake:
            yield (name, "url"), f"the url {mistake}", "docs/MCP.md shows entries that work."
        for tool in entry.tools:
            other = functions.setdefault(function_name(name, tool), f"{name}.{tool}")
            if other != f"{name}.{tool}":
                hint = "Models know a tool by server and name in one; give one of the servers another name."
                yield (name, "tools", tool), f"{name}.{tool} reads like {other}", hint
        yield from _mistakes_in_references(name, entry)


def _mistakes_in_references(name: str, entry: ServerEntry) -> Iterator[tuple[Place, str, str]]:
    for index, setting in enumerate(entry.needs):
        if _type_of(setting) is None:
            yield (name, "needs", index), f"there is no setting {setting}", "docs/SETTINGS.md lists them."
    for place, text, hidden in _texts(name, entry):
        for setting in REFERENCE.findall(text):
            if _type_of(setting) is None:
                yield place, f"there is no setting {setting}", "docs/SETTINGS.md lists them."
            elif not hidden and (setting in SETTINGS_WITH_SECRETS or "SecretStr" in str(_type_of(setting))):
                hint = "Give it by environment, or by auth for a server at a url."
                yield place, f"{setting} is a secret, and others can read it here", hint
    for variable, value in entry.environment.items():
        if NAMES_OF_SECRETS.search(variable) and not REFERENCE.search(value):
            hint = "Name a setting, as in {grafana.token}; secrets stay out of this file."
            yield (name, "environment", variable), f"{variable} looks like a secret that is written out", hint


def _texts(name: str, entry: ServerEntry) -> Iterator[tuple[Place, str, bool]]:
    """Every text that may hold references, with its place and whether nobody else sees it."""
    yield from (((name, "command", index), text, False) for index, text in enumerate(entry.command))
    yield (name, "url"), entry.url, False
    yield (name, "runs_beside"), entry.runs_beside, False
    yield from (((name, "environment", variable), text, True) for variable, text in entry.environment.items())
    yield (name, "auth", "user"), entry.auth.user, False
    yield (name, "auth", "token"), entry.auth.token, True
    yield (name, "auth", "password"), entry.auth.password, True


def _type_of(name: str) -> Any:
    """The type of the setting of this dotted name, None where there is no such setting."""
    found: Any = Settings
    # The one value that is made of two settings; see crews/mcp/servers.py.
    for step in re.sub(r"^(kubernetes\.\d+\.kubeconfig)s$", r"\1", name).split("."):
        found = _type_inside(found, step)
    return found


def _type_inside(kind: Any, step: str) -> Any:
    for option in get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,):
        if get_origin(option) is Annotated:
            option = get_args(option)[0]
        if isinstance(option, type) and issubclass(option, BaseModel) and step in option.model_fields:
            return option.model_fields[step].annotation
        if get_origin(option) is dict:
            return get_args(option)[1]
        if get_origin(option) is tuple and step.isdigit():
            return get_args(option)[0]
    return None
