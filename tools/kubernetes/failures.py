"""What can go wrong with a Kubernetes API server, in the words of ``tools.errors``."""

from __future__ import annotations

import httpx
import orjson

from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.kubernetes.access import SYSTEM
from tools.kubernetes.fields import text


class ExpiredError(TemporaryError):
    """410 Gone: the version asked for is older than what the server keeps. List again from the start."""


class StatusError(PermanentError):
    """A refusal with its HTTP status: 401 and 403 mean no permission, 404 no such thing, 409 somebody was faster."""

    def __init__(self, message: str, status: int, url: str) -> None:
        hints = {
            401: "The token is not accepted; renew it.",
            403: "Give the account the read-only role of deploy/kubernetes/.",
        }
        super().__init__(message, system=SYSTEM, url=url, hint=hints.get(status, ""))
        self.status = status


def of_status(response: httpx.Response, url: str) -> UpstreamError:
    """The error for an answer that is not a success. ``url`` is what people are shown."""
    code = response.status_code
    try:
        message = text(orjson.loads(response.content), "message")
    except orjson.JSONDecodeError:
        message = ""
    message = message[:300] or f"HTTP {code}"
    if code == 410:
        return ExpiredError(message, system=SYSTEM, url=url)
    if code in (408, 429) or code >= 500:
        after = response.headers.get("Retry-After", "")
        wait = float(after) if after.isdigit() else None
        return TemporaryError(message, system=SYSTEM, url=url, retry_after=wait)
    return StatusError(message, code, url)


def reason_of(problem: httpx.HTTPError) -> str:
    """Why no answer came, in a few words."""
    if isinstance(problem, httpx.TimeoutException):
        return "no answer in time"
    return f"the connection failed: {problem}" if str(problem) else f"the connection failed ({type(problem).__name__})"
