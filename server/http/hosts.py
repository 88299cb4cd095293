"""Which names a caller may use for us, and whether we may listen where we are told to.

A page in somebody's browser can point its own domain at 127.0.0.1 and then read from us as if we were that page's
own server (DNS rebinding). The browser still sends that domain as Host, so unexpected names are refused.
"""

from __future__ import annotations

import ipaddress

from opscrew.errors import UsageError
from opscrew.settings import HttpSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def expected_hosts(http: HttpSettings) -> frozenset[str]:
    """Lower-case names without port. Addresses written as numbers need no entry: see ``is_expected``."""
    return frozenset(name.lower() for name in (*LOOPBACK_NAMES, http.host, *http.hosts))


def is_expected(header: str, expected: frozenset[str]) -> bool:
    """Judges a Host header. A numeric address is always fine: rebinding needs a name that somebody can point."""
    name = _without_port(header.strip().lower())
    return bool(name) and (name in expected or "*" in expected or _is_address(name))


def refuse_open_door(http: HttpSettings) -> None:
    """Raises ``UsageError`` when others on the network could reach us and no token is asked of them."""
    if http.token is None and not is_loopback(http.host):
        raise UsageError(
            f"http.host {http.host} can be reached by others, and no token is set",
            "Set CREW_HTTP__TOKEN (or CREW_HTTP__TOKEN_FILE), or listen on 127.0.0.1 behind a proxy.",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach that address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
