"""What really went over the wire while apprise was sending.

Apprise says only yes or no. Whether a message may be sent again depends on more: was the service reached, did it
refuse, did it ask for a pause? Nearly all of its services use requests, whose sessions are watched here, and only
while one of our messages is under way (a context variable, which apprise hands on to its threads).
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Exchange:
    """``status`` of the latest answer (0: none came); ``reached`` is false where no connection could be made, and
    ``lost`` true where a request went out and no answer came back. ``retry_after`` is in seconds."""

    status: int = 0
    reached: bool = True
    lost: bool = False
    retry_after: float | None = None
    accepted: int = 0
    """Requests that were answered with success."""


_watched: ContextVar[Exchange | None] = ContextVar("crew_notify_exchange", default=None)


@contextmanager
def watching() -> Iterator[Exchange]:
    """Notes what requests does in this context."""
    _watch_sessions()
    exchange = Exchange()
    token = _watched.set(exchange)
    try:
        yield exchange
    finally:
        _watched.reset(token)


@cache
def _watch_sessions() -> None:
    """Once per process. Sessions that send nothing of ours are passed through untouched."""
    import requests

    original = requests.Session.send

    def send(session: Any, request: Any, **how: Any) -> Any:
        exchange = _watched.get()
        if exchange is None:
            return original(session, request, **how)
        try:
            answer = original(session, request, **how)
        except requests.RequestException as problem:
            exchange.status = 0
            exchange.reached = not _never_connected(problem)
            exchange.lost = exchange.reached
            raise
        _note(exchange, answer)
        return answer

    requests.Session.send = send  # type: ignore[method-assign,assignment]


def _note(exchange: Exchange, answer: Any) -> None:
    exchange.status, exchange.reached, exchange.lost = int(answer.status_code), True, False
    exchange.accepted += 200 <= exchange.status < 300
    exchange.retry_after = _seconds(answer)


def _seconds(answer: Any) -> float | None:
    """``Retry-After`` as seconds; Discord and Telegram say it in the body, and Discord in fractions."""
    written = str(answer.headers.get("Retry-After", "")).strip()
    if not written and answer.status_code == 429:
        try:
            body = answer.json()
        except ValueError:
            return None
        inner = body.get("parameters") if isinstance(body, dict) else None
        found = body.get("retry_after") if isinstance(body, dict) else None
        written = str(found if found is not None else (inner or {}).get("retry_after", ""))
    try:
        seconds = float(written)
    except ValueError:
        return _until(written, str(answer.headers.get("Date", "")))
    return seconds if 0 <= seconds < float("inf") else None


def _until(moment: str, server_now: str) -> float | None:
    """A pause that is given as a time, measured by the clock of whoever gave it."""
    try:
        seconds = (parsedate_to_datetime(moment) - parsedate_to_datetime(server_now)).total_seconds()
    except (TypeError, ValueError):
        return None
    return max(0.0, seconds)


def _never_connected(problem: Exception) -> bool:
    """No connection, so no message: a name that is not found, a closed port, a certificate that is not trusted."""
    import requests
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

    if isinstance(problem, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return True
    if isinstance(problem, requests.exceptions.InvalidURL | requests.exceptions.InvalidSchema):
        return True
    inner = problem.args[0] if problem.args else None
    return isinstance(getattr(inner, "reason", inner), NewConnectionError | ConnectTimeoutError)
