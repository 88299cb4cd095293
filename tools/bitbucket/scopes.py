"""What a token may do, as Bitbucket says in the header X-OAuth-Scopes of every answer to it.

https://support.atlassian.com/bitbucket-cloud/kb/how-to-fetch-the-scope-of-a-token-via-command-line/
"""

from __future__ import annotations

HEADER = "X-OAuth-Scopes"


def read_scopes(header: str | None) -> frozenset[str] | None:
    """The scopes of a header, None where there is none: an account's password has no scopes, and is not told from
    other credentials. Newer API tokens write ``write:pipeline:bitbucket`` for what is ``pipeline:write`` elsewhere.
    """
    if not header:
        return None
    return frozenset(_classic(one.strip()) for one in header.split(",") if one.strip())


def allows(scopes: frozenset[str], wanted: str) -> bool:
    """Whether ``scopes`` hold ``wanted``, such as ``pipeline`` or ``pipeline:write``. A right to write reads too."""
    return wanted in scopes or f"{wanted}:write" in scopes


def _classic(scope: str) -> str:
    parts = scope.split(":")
    if len(parts) != 3 or parts[2] != "bitbucket":
        return scope
    right, thing, _ = parts
    return thing if right == "read" else f"{thing}:{right}"
