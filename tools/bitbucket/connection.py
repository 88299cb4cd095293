"""One HTTP conversation with Bitbucket: credentials, time limits, repeats, redirects, pages and the request budget.

Repeats happen for GET alone. A POST that starts a pipeline is sent exactly once, whatever becomes of the answer,
because Bitbucket has no idempotency key: sending it again would start a second one.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import httpx

from tools.bitbucket import failures
from tools.bitbucket.budget import SYSTEM, BudgetKeeper, retry_after_seconds
from tools.bitbucket.paging import marks_of, next_address, values_of
from tools.bitbucket.refusals import hint_for
from tools.bitbucket.scopes import HEADER, read_scopes
from tools.errors import TemporaryError, UpstreamError

Result = TypeVar("Result")

PAUSES = (0.5, 2.0)
"""Seconds before the second and third try of a GET: long enough for a restart behind a load balancer."""
LONGEST_PAUSE = 5.0
"""A longer wait than this belongs to the schedule, not to a caller who holds a thread."""
LARGEST_ANSWER = 32 * 1024 * 1024
"""Bytes of JSON. A page of 100 pipelines is about 0.3 MB; beyond this something else answers."""
MOST_REDIRECTS = 3
HALF = re.compile(rb"\\u[dD][89a-fA-F]")
"""How JSON writes half of a character beyond the first 65,536."""


@dataclass(frozen=True)
class Access:
    """Where and as whom. ``token`` with ``user`` is sent as Basic, without as Bearer, empty not at all."""

    url: str
    token: str
    user: str
    timeout_seconds: float

    @property
    def header(self) -> dict[str, str]:
        if not self.token:
            return {}
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.token}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {"Authorization": f"Bearer {self.token}"}


class Connection:
    """Thread-safe. ``on_response`` gets one word per request: ok, missing, denied, limited, failed, unreachable."""

    def __init__(
        self,
        access: Access,
        budget: BudgetKeeper,
        *,
        clock: Callable[[], datetime],
        http: httpx.Client,
        on_response: Callable[[str], object],
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._access = access
        self._budget = budget
        self._clock = clock
        self._http = http
        self._on_response = on_response
        self._sleep = sleep
        self._base = httpx.URL(access.url.rstrip("/") + "/")
        self.granted_scopes: frozenset[str] | None = None
        """What the token may do, as the last answer said; None where no answer said it."""

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """The parsed JSON. ``path`` is relative to the API's root, already escaped."""
        return self.repeating(lambda: self._json(self._base.join(path).copy_merge_params(dict(query or {}))))

    def pages(self, path: str, query: Mapping[str, Any] | None = None, *, limit: int) -> Iterator[Any]:
        """The values of a list, page after page, at most ``limit``. ``paging`` says how the next page is found."""
        first = self._base.join(path).copy_merge_params({"pagelen": min(limit, 100), **(query or {})})
        url: httpx.URL | None = first
        asked: set[str] = set()
        before, seen = None, 0
        while url is not None and seen < limit and str(url) not in asked:
            answer = self.repeating(lambda url=url: self._json(url))  # type: ignore[misc]
            values = values_of(answer, is_first=not asked)
            if values is None:
                raise failures.odd_answer(failures.plain_url(url), "the answer is not a list")
            if values == before:
                return  # a server that looks at no mark gives the same page for ever
            yield from values[: limit - seen]
            asked.add(str(url))
            before, seen = values, seen + len(values)
            if isinstance(answer.get("next"), str) and not marks_of(answer["next"]):
                self._same_host(answer["next"], url)  # leads elsewhere, so it is no answer of Bitbucket's
            url = next_address(first, url, answer, seen)

    def post(self, path: str, body: Any = None) -> tuple[int, Any]:
        """Sends once. Returns status and parsed JSON (None when empty); raises for anything that is not 2xx."""
        request = self._request("POST", self._base.join(path), {"Accept": "application/json"}, body)
        with self._sent(request, accept=()) as response:
            data = self._read(response)
        return response.status_code, self._parsed(data, request) if data else None

    @contextmanager
    def streaming(self, path: str, headers: Mapping[str, str], accept: tuple[int, ...]) -> Iterator[httpx.Response]:
        """An open answer to read piece by piece, redirects to a log store followed without our credentials.

        Statuses in ``accept`` are handed to the caller, every other failure is raised. What goes wrong while the
        caller reads is translated too.
        """
        request = self._request("GET", self._base.join(path), headers)
        for _ in range(MOST_REDIRECTS):
            with self._sent(request, accept=accept) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                target = request.url.join(response.headers["location"])
            if target.scheme not in ("https", self._base.scheme):
                raise failures.odd_answer(failures.plain_url(target), "redirected from https to an unsafe address")
            request = self._request("GET", target, headers)
        raise failures.of_transport(httpx.TooManyRedirects(""), request, 0)

    def pieces(self, response: httpx.Response, *, patience: float) -> Iterator[bytes]:
        """The bytes of an open answer as they come, for at most ``patience`` times the usual time limit.

        The library's own limit starts anew with each byte, so a server that drips could hold a thread for hours.
        """
        deadline = time.monotonic() + patience * self._access.timeout_seconds
        # Some stores send compressed what they were asked to send plainly. A part of that could not be unpacked.
        for piece in response.iter_raw() if response.status_code == 206 else response.iter_bytes():
            yield piece
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the whole answer took too long", request=response.request)

    def repeating(self, operation: Callable[[], Result]) -> Result:
        """Runs a reading operation, again after a short pause where that may help."""
        for pause in PAUSES:
            try:
                return operation()
            except TemporaryError as problem:
                wait = max(pause, problem.retry_after or 0)
                if wait > LONGEST_PAUSE:
                    raise
                self._sleep(wait)
        return operation()

    def _json(self, url: httpx.URL) -> Any:
        request = self._request("GET", url, {"Accept": "application/json"})
        for _ in range(MOST_REDIRECTS):
            with self._sent(request, accept=()) as response:
                data = self._read(response)
                location = response.headers["location"] if response.has_redirect_location else None
            if location is None:
                return self._parsed(data, request)
            request = self._request("GET", self._same_host(location, request.url), {"Accept": "application/json"})
        raise failures.of_transport(httpx.TooManyRedirects(""), request, 0)

    def _request(self, method: str, url: httpx.URL, headers: Mapping[str, str], body: Any = None) -> httpx.Request:
        own = self._access.header if _origin(url) == _origin(self._base) else {}
        return self._http.build_request(method, url, headers={**headers, **own}, json=body)

    @contextmanager
    def _sent(self, request: httpx.Request, accept: tuple[int, ...]) -> Iterator[httpx.Response]:
        """Counts, sends, and turns every kind of failure into an UpstreamError, also while the body is read."""
        ours = _origin(request.url) == _origin(self._base)  # a log store elsewhere has limits of its own
        if ours:
            self._budget.take(failures.plain_url(request.url))
        try:
            response = self._http.send(request, stream=True)
            try:
                if ours:
                    self._budget.learn(response.headers)
                    self.granted_scopes = read_scopes(response.headers.get(HEADER)) or self.granted_scopes
                if not (response.is_success or response.has_redirect_location or response.status_code in accept):
                    raise self._refused(response)
                yield response
            finally:
                response.close()
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as problem:
            self._on_response("unreachable")
            raise failures.of_transport(problem, request, self._access.timeout_seconds) from problem
        self._on_response("ok" if response.status_code < 400 else "missing")

    def _refused(self, response: httpx.Response) -> UpstreamError:
        status = response.status_code
        body = self._read(response)
        if status == 429 and _origin(response.request.url) == _origin(self._base):
            self._on_response("limited")
            pause = self._budget.limited(retry_after_seconds(response.headers.get("Retry-After"), self._clock()))
            words = failures.own_words(response, body, self._access.token)
            return TemporaryError(
                f"429 too many requests; asked to wait {pause:.0f} seconds" + (f": {words}" if words else ""),
                system=SYSTEM,
                url=failures.plain_url(response.request.url),
                hint=hint_for(status, response.request.method, words),
                retry_after=pause,
                not_accepted=True,
            )
        self._on_response({401: "denied", 403: "denied", 404: "missing"}.get(status, "failed"))
        wait = retry_after_seconds(response.headers.get("Retry-After"), self._clock())
        return failures.of_status(response, body, self._access.token, wait)

    def _read(self, response: httpx.Response) -> bytes:
        """The whole body, bounded in size and in total time: a server that drips must not hold us."""
        deadline = time.monotonic() + self._access.timeout_seconds
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise failures.odd_answer(failures.plain_url(response.request.url), "the answer is far too large")
            if time.monotonic() > deadline:
                raise httpx.ReadTimeout("the whole answer took too long", request=response.request)
        return b"".join(pieces)

    def _parsed(self, data: bytes, request: httpx.Request) -> Any:
        try:
            value = json.loads(data)
            # Long messages are cut in the middle of an emoji, and half a character can be neither stored nor printed.
            whole = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace") if HALF.search(data) else None
            return value if whole is None else json.loads(whole)
        except (ValueError, RecursionError) as problem:
            looks = "an HTML page" if data.lstrip()[:1] == b"<" else "no valid JSON"
            raise failures.odd_answer(failures.plain_url(request.url), f"the answer is {looks}") from problem

    def _same_host(self, target: str, here: httpx.URL) -> httpx.URL:
        try:
            url = here.join(target)
        except httpx.InvalidURL as problem:
            raise failures.odd_answer(failures.plain_url(here), "the answer points to no valid address") from problem
        if _origin(url) != _origin(self._base):
            raise failures.odd_answer(failures.plain_url(here), f"the answer points to another host ({url.host})")
        return url


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    """Scheme, host and port: our credentials go nowhere else."""
    return url.scheme, url.host, url.port or {"http": 80, "https": 443}.get(url.scheme)
