"""Whose host is it? A name that is not found passes for a public service, and may be gone for good for any other.

A deleted cluster, a private registry that was switched off and a dead feed say the same words as a name server in a bad
minute. The names of public services are data (``public_hosts.yaml``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import re2
from pydantic import BaseModel, ConfigDict

from opscrew.strict_yaml import Expression, load_strictly

HOSTS_FILE = Path(__file__).with_name("public_hosts.yaml")

_NAME = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)+"

_NAMED = re2.compile(
    rf"(?i)(?:enotfound|lookup|resolve(?: host(?:name)?)?:?|unknown ?host(?:exception)?:?|host:|hostname:?|resolving"
    rf"|address|name could not be resolved: ?|translate host name|can.t find|://(?:[^/@\s'\"]*@)?|host=)"
    rf"['\"`( ]*({_NAME})"
)
_BESIDE = re2.compile(rf"(?i)://(?:[^/@\s'\"]*@)?({_NAME})|\bdial tcp: lookup ({_NAME})|\b({_NAME}):\d{{2,5}}\b")
_ADDRESS = re2.compile(r"^[\d.]+$")


class Hosts(BaseModel):
    """The file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hosts: tuple[str, ...]
    api_hosts: tuple[Expression, ...]

    @cached_property
    def exact(self) -> frozenset[str]:
        return frozenset(name.removeprefix("*.") for name in self.hosts)

    @cached_property
    def whole(self) -> frozenset[str]:
        """Those whose sub-domains count too."""
        return frozenset(name[2:] for name in self.hosts if name.startswith("*."))

    @cached_property
    def apis(self) -> Any:
        return re2.compile(rf"^(?:{'|'.join(self.api_hosts)})$")


@cache
def public_hosts() -> Hosts:
    """As shipped. Raises ``UsageError`` for a mistake in the file."""
    return load_strictly(HOSTS_FILE, Hosts)


def is_public(host: str) -> bool:
    """Whether the name is a public service's, not a customer's."""
    host, known = host.lower().rstrip("."), public_hosts()
    if host in known.exact or known.apis.search(host):
        return True
    parts = host.split(".")
    return any(".".join(parts[start:]) in known.whole for start in range(1, len(parts)))


def host_named(lines: Iterable[str]) -> str:
    """The host that the first of ``lines`` to name one speaks of, in lower case; "" where none does."""
    for text in lines:
        for expression in (_NAMED, _BESIDE):
            found = expression.search(text)
            name = next((group for group in found.groups() if group), "") if found else ""
            if name and not _ADDRESS.search(name):
                return name.lower().rstrip(".")
    return ""
