"""The certificates that connections trust, read once per process: a reading costs 30 ms, and every client did one."""

from __future__ import annotations

import os
import ssl
from functools import cache

import httpx


def trusted_certificates(*, as_the_environment_says: bool = False) -> ssl.SSLContext:
    """The library's own, or on demand those of ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``. Shared: nobody may change it."""
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR") if as_the_environment_says else ()
    return _read(tuple(os.environ.get(name, "") for name in names))


@cache
def _read(places: tuple[str, ...]) -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=any(places))
