"""What one entry of ``servers.yaml`` may say, and what it becomes once the settings are filled in.

References such as ``{grafana.url}`` name settings. They are looked up by whoever builds the gateway, so that this
folder knows neither the settings nor a secret before a server is really started.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, field_validator, model_validator

SERVERS_FILE = Path(__file__).with_name("servers.yaml")

REFERENCE = re.compile(r"\{([a-z_]+(?:\.[a-z0-9_]+)*)\}")
NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

Lookup = Callable[[str], str | None]
"""A setting's value by its dotted name, None where it is not set."""


class Entry(BaseModel):
    """Fields of a data file: all known, none changed after loading."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class AuthEntry(Entry):
    """How a server at a URL is told who asks. The values are references to settings, never secrets themselves."""

    kind: Literal["none", "bearer", "basic", "google"] = "none"
    token: str = ""
    user: str = ""
    password: str = ""

    @model_validator(mode="after")
    def _secrets_are_references(self) -> AuthEntry:
        for name in ("token", "password"):
            value = getattr(self, name)
            if value and not REFERENCE.fullmatch(value):
                raise ValueError(f"{name} must be a reference to a setting, as in {{mcp.tokens.grafana}}")
        if self.kind == "bearer" and not self.token:
            raise ValueError("bearer needs a token")
        if self.kind == "basic" and not self.password:
            raise ValueError("basic needs a password")
        return self


class ToolEntry(Entry):
    """A tool that may be used. ``parameters`` are those a model is shown (all when not given)."""

    description: str = ""
    parameters: tuple[str, ...] | None = None
    mutates: bool = False
    keep_end: bool = False
    """Of a long answer in plain text, show the last lines."""
    refused: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Values of arguments that are never sent, whoever asks."""

    def refused_of(self, arguments: Mapping[str, object]) -> str:
        """The first argument that is not to be sent, in words; empty when there is none. Plurals count too."""
        for name, values in self.refused.items():
            given = str(arguments.get(name, "")).strip().casefold()
            if given.removesuffix("s") in {value.casefold().removesuffix("s") for value in values}:
                return f"{name} {arguments[name]}"
        return ""


class ServerEntry(Entry):
    """One server: exactly one of ``command``, ``url`` and ``built_in`` says how it is reached."""

    title: str
    command: tuple[str, ...] = ()
    url: str = ""
    built_in: bool = False
    needs: tuple[str, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    runs_beside: str = ""
    auth: AuthEntry = AuthEntry()
    roles: tuple[str, ...] = ()
    tools: dict[str, ToolEntry]
    install: str = ""
    start_seconds: float = Field(default=15, gt=0, le=120)
    timeout_seconds: float = Field(default=15, gt=0, le=300)
    result_characters: int = Field(default=3_000, ge=200, le=100_000)

    @field_validator("tools", mode="before")
    @classmethod
    def _a_bare_name_is_enough(cls, value: object) -> object:
        if isinstance(value, dict):
            return {name: entry if entry is not None else {} for name, entry in value.items()}
        return value

    @model_validator(mode="after")
    def _one_way_in(self) -> ServerEntry:
        if sum((bool(self.command), bool(self.url), self.built_in)) != 1:
            raise ValueError("give exactly one of command, url and built_in")
        if self.auth.kind != "none" and self.command:
            raise ValueError("auth is for servers at a url; a command gets its secrets by environment")
        return self


class ServerList(RootModel[dict[str, ServerEntry]]):
    """The whole file, by name of the server."""

    @model_validator(mode="after")
    def _plain_names(self) -> ServerList:
        for name in self.root:
            if not NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name for a server: small letters, digits and _ only")
        return self


@dataclass(frozen=True)
class Auth:
    """An ``AuthEntry`` with its references filled in. Never printed: ``repr`` leaves the secrets out."""

    kind: str = "none"
    user: str = ""
    secret: str = field(default="", repr=False)


@dataclass(frozen=True)
class Server:
    """A server as it will be started or called. ``missing`` names settings without which it stays off."""

    name: str
    entry: ServerEntry
    command: tuple[str, ...] = ()
    url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: Path | None = None
    auth: Auth = Auth()
    missing: tuple[str, ...] = ()

    @property
    def is_configured(self) -> bool:
        return not self.missing

    @property
    def way(self) -> str:
        """How it is reached, in a word for people."""
        return "built in" if self.entry.built_in else "url" if self.url else "command"


def resolve(name: str, entry: ServerEntry, lookup: Lookup, *, url: str = "", token: str = "") -> Server:
    """Fills in the settings. With ``url`` the server runs elsewhere and is called there with ``token``, if any.

    An environment variable whose setting is absent is left out; a command or address with a gap makes the server
    count as not configured.
    """
    if url:
        return Server(name, entry, url=url, auth=Auth("bearer", secret=token) if token else Auth())
    gaps = [needed for needed in entry.needs if not lookup(needed)]
    environment = {}
    for variable, template in entry.environment.items():
        value, missing = fill(template, lookup)
        if not missing:
            environment[variable] = value
    command = [fill(part, lookup) for part in entry.command]
    address = fill(entry.url, lookup)
    for _, missing in (*command, address):
        gaps += missing
    auth, missing = _auth(entry.auth, lookup)
    gaps += missing
    return Server(
        name,
        entry,
        command=tuple(part for part, _ in command),
        url=address[0],
        environment=environment,
        folder=Path(fill(entry.runs_beside, lookup)[0]).parent if entry.runs_beside and not gaps else None,
        auth=auth,
        missing=tuple(dict.fromkeys(gaps)),
    )


def function_name(server: str, tool: str) -> str:
    """A tool as models know it. Providers take letters, digits and two signs, and not many of them."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")[:64]


def fill(template: str, lookup: Lookup) -> tuple[str, list[str]]:
    """The text with every reference replaced, and the names of settings that are not set."""
    missing: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = lookup(match.group(1))
        if not found:
            missing.append(match.group(1))
        return found or ""

    return REFERENCE.sub(value, template), missing


def _auth(entry: AuthEntry, lookup: Lookup) -> tuple[Auth, list[str]]:
    user, no_user = fill(entry.user, lookup)
    secret, no_secret = fill(entry.token or entry.password, lookup)
    return Auth(entry.kind, user, secret), no_user + no_secret
