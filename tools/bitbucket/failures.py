"""Turns what httpx raises and what Bitbucket refuses into the two errors that the rest of the program knows.

Messages name the address without its query string, and what a person can do. A server's own words are untrusted:
one line, capped, and never with our token in it.
"""

from __future__ import annotations

import json
import ssl
from typing import Any

import httpx

from tools.bitbucket.refusals import hint_for
from tools.bitbucket.shapes import inner, text_at
from tools.errors import PermanentError, TemporaryError, UpstreamError

SYSTEM = "bitbucket"
WORDS_KEPT = 200

MAYBE_DONE = "It may have been carried out all the same: look for the result before sending it again."


class Refused(PermanentError):
    """A 4xx. ``status`` lets the client tell "there is none" (404) and "too late" (400) from real trouble."""

    def __init__(self, message: str, *, status: int, url: str, hint: str) -> None:
        super().__init__(message, system=SYSTEM, url=url, hint=hint)
        self.status = status

    @property
    def is_about_the_token(self) -> bool:
        """True where it says nothing about what was asked for: with this token every question is refused."""
        return self.status == 401


def of_status(response: httpx.Response, body: bytes, secret: str, wait: float | None = None) -> UpstreamError:
    """The error for an answer that is not a success. Bitbucket's 429 is the caller's, which knows the clock.

    ``wait`` is how many seconds the answer asks to wait, as one does that says 503 for maintenance.
    """
    status, method = response.status_code, response.request.method
    words = own_words(response, body, secret)
    message = f"{status} {response.reason_phrase}".strip() + (f": {words}" if words else "")
    url = plain_url(response.request.url)
    hint = hint_for(status, method, words)
    if status >= 500 or status in (408, 429):
        refused = status in (429, 503)
        return TemporaryError(message, system=SYSTEM, url=url, hint=hint, retry_after=wait, not_accepted=refused)
    if status < 400:
        # No refusal: nobody knows what stands in between, nor whether it passed on what was sent.
        return PermanentError(message, system=SYSTEM, url=url, hint=hint)
    return Refused(message, status=status, url=url, hint=hint)


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


def own_words(response: httpx.Response, body: bytes, secret: str) -> str:
    """What the server says, in one line; "" for HTML pages and for text that only repeats the status.

    Recorded are ``{"error": {"message", "detail", "fields", "data": {"key"}}}``, the same without ``error`` where
    Bitbucket itself broke, and plain text.
    """
    data = _json_or_none(body)
    if isinstance(data, dict):
        words = _words_of_error(data.get("error") if isinstance(data.get("error"), dict) else data)
    else:
        is_text = response.headers.get("content-type", "").startswith("text/plain")
        words = body.decode("utf-8", "replace") if is_text else ""
    if secret:
        words = words.replace(secret, "[redacted]")
    words = " ".join(words.split())[:WORDS_KEPT]
    return "" if words.lower() == response.reason_phrase.lower() else words


def _words_of_error(error: Any) -> str:
    """Message, then what stands beside it: a sentence, the scopes that are missing, fields, or the error's key."""
    message, detail = text_at(error, "message"), text_at(error, "detail")
    required = inner(error, "detail", "required")
    if required:
        return f"{message} (required: {', '.join(str(scope) for scope in _several(required)[:5])})"
    fields = inner(error, "fields")
    named = [str(word) for words in fields.values() for word in _several(words)] if isinstance(fields, dict) else []
    key = text_at(error, "data", "key")
    parts = [message, detail, *named[:5], f"({key})" if key else ""]
    kept: list[str] = []
    for part in filter(None, parts):
        if not any(part in before for before in kept):
            kept.append(part)
    return " - ".join(kept)


def _several(words: Any) -> list[Any]:
    return words if isinstance(words, list) else [words]


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
