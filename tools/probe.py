"""One plain GET that tells whether a system answers, lets us in and agrees on the time.

For `crew doctor` alone, and for systems whose own client is not needed in order to ask that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from tools.errors import PermanentError, TemporaryError
from tools.trust import trusted_certificates

LONGEST_BODY = 64 * 1024


@dataclass(frozen=True)
class Door:
    """Where to knock and how. ``path`` is appended to ``url``; a token is sent as Bearer, a password as Basic."""

    system: str
    url: str
    path: str
    user: str = ""
    password: str = ""
    token: str = ""
    timeout_seconds: float = 5
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """``server_time`` is the Date header, to the second, or None."""

    body: bytes
    server_time: datetime | None


def knock(door: Door) -> Answer:
    """Any 2xx is an answer. Raises ``TemporaryError`` or ``PermanentError`` with what to do."""
    where = door.url.rstrip("/") + door.path
    headers = {**({"Authorization": f"Bearer {door.token}"} if door.token else {}), **door.headers}
    login = (door.user, door.password) if door.user else None
    try:
        with httpx.Client(verify=trusted_certificates(), timeout=door.timeout_seconds, trust_env=False) as client:
            answer = client.get(where, headers=headers, auth=login)
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
        raise PermanentError(
            "this is no web address", system=door.system, url=_shown(where), hint="Mend url."
        ) from problem
    except httpx.TimeoutException as problem:
        raise TemporaryError(
            f"no answer within {door.timeout_seconds:g} s",
            system=door.system,
            url=_shown(where),
            hint="Is it overloaded, or does a firewall swallow the connection?",
        ) from problem
    except httpx.HTTPError as problem:
        raise TemporaryError(
            f"cannot be reached: {problem}",
            system=door.system,
            url=_shown(where),
            hint="Is it running, and is the address right as seen from this machine?",
        ) from problem
    _judge(door, answer, _shown(where))
    return Answer(answer.content[:LONGEST_BODY], _date(answer.headers.get("date", "")))


def _judge(door: Door, answer: httpx.Response, where: str) -> None:
    status = answer.status_code
    if status in (401, 403):
        raise PermanentError(
            f"does not let us in ({status})",
            system=door.system,
            url=where,
            hint=f"Set CREW_{door.system.upper()}__TOKEN, or user and CREW_{door.system.upper()}__PASSWORD.",
        )
    if status == 404:
        raise PermanentError(
            "answers, but does not know this path (404)",
            system=door.system,
            url=where,
            hint="Give the root address of the system, or the prefix that it is served under.",
        )
    if status >= 500 or status == 429:
        raise TemporaryError(f"answered {status}", system=door.system, url=where, hint="Look at its own log.")
    if not answer.is_success:
        raise PermanentError(f"answered {status}", system=door.system, url=where, hint="Is this the right address?")


def _shown(url: str) -> str:
    """Without user, password and query."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    return str(parts.copy_with(username="", password="", query=None))


def _date(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, TypeError):
        return None
