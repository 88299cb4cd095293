"""The application default credentials of this machine, shown to Google's own MCP servers and refreshed in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Any

import httpx

from tools.errors import PermanentError, TemporaryError

SCOPE = "https://www.googleapis.com/auth/cloud-platform"


class GoogleAuth(httpx.Auth):
    """``load`` gives the credentials; tests replace it. Refreshing is slow and blocks, so a thread does it."""

    def __init__(self, load: Callable[[], Any] | None = None, transport: Callable[[], Any] | None = None) -> None:
        self._load = load or _default_credentials
        self._transport = transport or _requests_transport
        self._credentials: Any = None
        self._lock = threading.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        token = await asyncio.to_thread(self._token, False)
        request.headers["Authorization"] = f"Bearer {token}"
        response = yield request
        if response.status_code == 401:
            # Revoked or expired early: one fresh token, then the refusal counts.
            token = await asyncio.to_thread(self._token, True)
            request.headers["Authorization"] = f"Bearer {token}"
            yield request

    def _token(self, fresh: bool) -> str:
        from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError

        with self._lock:
            try:
                if self._credentials is None:
                    self._credentials = self._load()
                if fresh or not self._credentials.valid:
                    self._credentials.refresh(self._transport())
            except TransportError as problem:
                raise TemporaryError(f"Google's token service: {_words(problem)}", system="mcp") from problem
            except (RefreshError, GoogleAuthError) as problem:
                hint = "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS."
                raise PermanentError(f"no Google token: {_words(problem)}", system="mcp", hint=hint) from problem
            return str(self._credentials.token)


def _words(problem: Exception) -> str:
    return (str(problem).splitlines() or [type(problem).__name__])[0][:200]


def _default_credentials() -> Any:
    import google.auth

    return google.auth.default(scopes=[SCOPE])[0]


def _requests_transport() -> Any:
    import google.auth.transport.requests

    return google.auth.transport.requests.Request()
