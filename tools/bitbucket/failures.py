"""Turns what httpx raises and what Bitbucket refuses into the two errors that the rest of the program knows.

Messages name the address without its query string, and what a person can do. A server's own words are untrusted:
one line, capped, and never with our token in it.
"""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from tools.bitbucket.shapes import inner, text_at
from tools.errors import PermanentError, TemporaryError, UpstreamError

SYSTEM = "bitbucket"
WORDS_KEPT = 200

HINTS = {
    400: "The request does not fit this repository; its bitbucket-pipelines.yml may have changed since.",
    401: "The token is wrong or has expired: make a new one and set CREW_BITBUCKET__TOKEN. An API token also needs "
    "bitbucket.user (the account's e-mail); an access token must not have it.",
    403: "The token lacks a scope: reading needs repository, pull request and pipeline read; re-runs pipeline write.",
    404: "Check bitbucket.workspace and bitbucket.repositories; a token without access also sees 'not found'.",
}
MAYBE_DONE = "It may have been carried out all the same: look for the result before sending it again."


class Refused(PermanentError):
    """A 4xx. ``status`` lets the client tell "there is none" (404) and "too late" (400) from real trouble."""

    def __init__(self, message: str, *, status: int, url: str, hint: str) -> None:
        super().__init__(message, system=SYSTEM, url=url, hint=hint)
        self.status = status


def of_status(response: httpx.Response, body: bytes, secret: str, wait: float | None = None) -> UpstreamError:
    """The error for an answer that is not a success. Bitbucket's 429 is the caller's, which knows the clock.

    ``wait`` is how many seconds the answer asks to wait, as one does that says 503 for maintenance.
    """
    status = response.status_code
    words = _own_words(body, secret)
    message = f"{status} {response.reason_phrase}".strip() + (f": {words}" if words else "")
    url = plain_url(response.request.url)
    if status >= 500 or status in (408, 429):
        hint = "Bitbucket has trouble: status.bitbucket.org."
        refused = status in (429, 503)
        return TemporaryError(message, system=SYSTEM, url=url, hint=hint, retry_after=wait, not_accepted=refused)
    if status < 400:
        # No refusal: nobody knows what stands in between, nor whether it passed on what was sent.
        hint = "A proxy or a login page may stand in between; check bitbucket.url."
        return PermanentError(message, system=SYSTEM, url=url, hint=hint)
    return Refused(message, status=status, url=url, hint=HINTS.get(status, ""))


def of_transport(problem: Exception, request: httpx.Request, seconds: float) -> UpstreamError:
    """The error for an answer that did not arrive. A POST that may have arrived says so."""
    url = plain_url(request.url)
    if isinstance(problem, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return PermanentError("this is no web address", system=SYSTEM, url=url, hint="Correct bitbucket.url.")
    if _is_certificate(problem):
        return PermanentError(
            "its certificate is not trusted", system=SYSTEM, url=url, hint="Set SSL_CERT_FILE to your company's CA."
        )
    sent = not isinstance(problem, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
    hint = MAYBE_DONE if sent and request.method == "POST" else "Check the network and bitbucket.url."
    if isinstance(problem, httpx.TimeoutException):
        message = f"no answer within {seconds:g} seconds"
    elif isinstance(problem, httpx.ConnectError):
        message = "cannot connect"
    elif isinstance(problem, httpx.TooManyRedirects):
        message = "redirected in a circle"
    else:
        message = "the connection broke before the answer was complete"
    return TemporaryError(message, system=SYSTEM, url=url, hint=hint, not_accepted=not sent)


def odd_answer(url: str, what: str) -> PermanentError:
    """A 200 that does not hold what was asked for."""
    return PermanentError(
        what, system=SYSTEM, url=url, hint="Check that bitbucket.url is the API (…/2.0) and no login page or proxy."
    )


def plain_url(url: httpx.URL) -> str:
    """Without query, fragment and credentials: signed addresses of logs carry secrets in their query."""
    return str(url.copy_with(query=None, fragment=None, username=None, password=None))


def _own_words(body: bytes, secret: str) -> str:
    """Bitbucket's message from ``{"error": {"message", "detail"}}``; "" for HTML pages and anything else."""
    data = _json_or_none(body)
    words = text_at(data, "error", "message")
    required = inner(data, "error", "detail", "required")
    if isinstance(required, list):
        words += f" (required: {', '.join(str(scope) for scope in required[:5])})"
    else:
        words = " - ".join(filter(None, (words, text_at(data, "error", "detail"))))
    if secret:
        words = words.replace(secret, "[redacted]")
    return " ".join(words.split())[:WORDS_KEPT]


def _json_or_none(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _is_certificate(problem: BaseException | None) -> bool:
    while problem is not None:
        if isinstance(problem, ssl.SSLCertVerificationError):
            return True
        problem = problem.__cause__ or problem.__context__
    return False
