"""One HTTP conversation with a monitoring system: credentials, time limits, size limits and errors in our own words.

Shared by the clients of VictoriaMetrics, vmalert, VictoriaLogs, Alertmanager and Grafana, which differ in what they
are asked and not in how they fail. Nothing is repeated here: a sweep comes again in a minute by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from tools.errors import PermanentError, TemporaryError, UpstreamError
from tools.trust import trusted_certificates

LARGEST_ANSWER = 64 * 1024 * 1024
"""Bytes of one answer. A thousand volumes over four months are about 5 MB."""
LONGEST_MESSAGE = 300

OnResponse = Callable[[str], object]
"""Told of each answer: its HTTP status, or "error" where nothing came back."""


def ignored(outcome: str) -> None:
    """For callers that count nothing."""
    del outcome


@dataclass(frozen=True)
class Address:
    """Where and as whom. ``user`` with ``password`` is sent as Basic, ``token`` as Bearer, ``headers`` as they are; the
    time limit counts for the whole answer, not for each of its bytes."""

    url: str
    user: str = ""
    password: str = ""
    token: str = ""
    timeout_seconds: float = 10
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(PermanentError):
    """A 4xx: the system has understood and did nothing. Every other failure of a change leaves open what was done."""


class Connection:
    """Thread-safe. Call ``close()`` in the end."""

    def __init__(self, system: str, address: Address, on_response: OnResponse) -> None:
        self.system = system
        self.url = _shown(address.url)
        self._seconds = address.timeout_seconds
        self._on_response = on_response
        self._http = httpx.Client(
            base_url=address.url.rstrip("/"),
            auth=(address.user, address.password) if address.user else None,
            headers={**({"Authorization": f"Bearer {address.token}"} if address.token else {}), **address.headers},
            verify=trusted_certificates(),
            timeout=address.timeout_seconds,
            trust_env=False,
        )

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The parsed JSON of a GET."""
        return self.parsed(self.read("GET", path, query=query), path)

    def post_form(self, path: str, form: Mapping[str, str]) -> Any:
        """The parsed JSON of a reading POST: queries are too long for an address, and do not belong in access logs."""
        return self.parsed(self.read("POST", path, form=form), path)

    def post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        """The parsed JSON answer to a change."""
        return self.parsed(self.read("POST", path, body=body), path)

    def read(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        form: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The whole answer as bytes. Raises ``TemporaryError`` or ``PermanentError``."""
        try:
            with self._http.stream(method, path, params=query, data=form, json=body) as response:
                content = self._bounded(response)
        except httpx.TimeoutException as problem:
            self._on_response("error")
            raise self.temporary(path, f"no answer within {self._seconds:g} s", "Is it overloaded?") from problem
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as problem:
            raise self.permanent(path, "this is no web address", f"Mend {self.system}.url.") from problem
        except httpx.HTTPError as problem:
            self._on_response("error")
            reason = f"cannot be reached: {problem}" if str(problem) else f"cut us off ({type(problem).__name__})"
            raise self.temporary(path, reason, "Is it running, and is the address right?") from problem
        self._on_response(str(response.status_code))
        if not response.is_success:
            raise self._refused(response.status_code, response.headers.get("Retry-After", ""), content, path)
        return content

    def parsed(self, content: bytes, path: str) -> Any:
        """The answer as JSON; anything else is the fault of what stands in between, or a cut line."""
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as problem:
            looks = "an HTML page" if content.lstrip()[:1] == b"<" else "cut off or no JSON"
            raise self.odd(path, f"the answer is {looks}") from problem

    def odd(self, path: str, message: str) -> PermanentError:
        """For an answer of a shape that this system never gives."""
        hint = f"Is this really {self.system}? A proxy or a login page may stand in between."
        return self.permanent(path, message, hint)

    def temporary(self, path: str, message: str, hint: str = "", retry_after: float | None = None) -> TemporaryError:
        return TemporaryError(message, system=self.system, url=self.url + path, hint=hint, retry_after=retry_after)

    def permanent(self, path: str, message: str, hint: str = "") -> PermanentError:
        return PermanentError(message, system=self.system, url=self.url + path, hint=hint)

    def _bounded(self, response: httpx.Response) -> bytes:
        """The library's own time limit starts anew with each piece, so a server that drips could hold a thread."""
        deadline = time.monotonic() + self._seconds
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise self.permanent(response.url.path, "the answer is far too large", "Ask for less at once.")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the whole answer took too long", request=response.request)
        return b"".join(pieces)

    def _refused(self, status: int, retry_after: str, content: bytes, path: str) -> UpstreamError:
        if status in (401, 403):
            name = self.system.upper()
            hint = f"Set CREW_{name}__TOKEN, or user and CREW_{name}__PASSWORD."
            return RefusedError(f"does not let us in ({status})", system=self.system, url=self.url + path, hint=hint)
        said = _message(content)
        message = f"answered {status}: {said}" if said else f"answered {status}"
        if status == 429 or status >= 500:
            wait = float(retry_after) if retry_after.isdigit() else None
            return self.temporary(path, message, "Look at its own log.", wait)
        hint = "Give the root address of the system, or the prefix that it is served under." if status == 404 else ""
        if status < 400 or status == 408:
            return self.permanent(path, message, "A proxy or a login page may stand in between.")
        return RefusedError(message, system=self.system, url=self.url + path, hint=hint)


def _message(content: bytes) -> str:
    """What the system said about its refusal, on one line."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError:
        value = content[:LONGEST_MESSAGE].decode(errors="replace")
    if isinstance(value, dict):
        value = value.get("error") or value.get("message") or ""
    said = " ".join(str(value).split())
    return "" if said.startswith("<") else said[:LONGEST_MESSAGE]


def _shown(url: str) -> str:
    """Without user, password and query."""
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return ""
    return str(parts.copy_with(username="", password="", query=None)).rstrip("/")
