"""Google's credentials on the wire: shown, refreshed before they end, and once more when refused."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.support.bitbucket import as_json, scripted
from tools.errors import PermanentError, TemporaryError
from tools.mcp.google_auth import GoogleAuth


class Credentials:
    """As google-auth's: a token that must be refreshed before it is valid."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.token = ""
        self.valid = False
        self.refreshed = 0
        self._trouble = trouble

    def refresh(self, _transport: object) -> None:
        if self._trouble:
            raise self._trouble
        self.refreshed += 1
        self.token, self.valid = f"ya29.{self.refreshed}", True


def get(url: str, auth: GoogleAuth, times: int = 1) -> list[int]:
    async def main() -> list[int]:
        async with httpx.AsyncClient(auth=auth, timeout=60, trust_env=False) as http:
            return [(await http.get(url)).status_code for _ in range(times)]

    return asyncio.run(main())


def test_one_token_serves_many_requests() -> None:
    credentials = Credentials()
    with scripted(lambda path, headers: as_json({})) as server:
        assert get(server.url, GoogleAuth(lambda: credentials, lambda: None), times=3) == [200, 200, 200]
    assert [headers["authorization"] for _, _, headers in server.requests] == ["Bearer ya29.1"] * 3
    assert credentials.refreshed == 1


def test_a_refused_token_is_renewed_once() -> None:
    credentials = Credentials()
    refuse = [as_json({}, 401), as_json({})]
    with scripted(lambda path, headers: refuse.pop(0)) as server:
        assert get(server.url, GoogleAuth(lambda: credentials, lambda: None)) == [200]
    assert [headers["authorization"] for _, _, headers in server.requests] == ["Bearer ya29.1", "Bearer ya29.2"]


def test_a_refusal_that_stays_counts() -> None:
    with scripted(lambda path, headers: as_json({}, 401)) as server:
        assert get(server.url, GoogleAuth(Credentials, lambda: None)) == [401]
        assert len(server.requests) == 2


def test_no_credentials_is_told_with_what_to_do() -> None:
    from google.auth.exceptions import DefaultCredentialsError

    def none() -> None:
        raise DefaultCredentialsError("no credentials here")

    with scripted(lambda path, headers: as_json({})) as server, pytest.raises(PermanentError) as raised:
        get(server.url, GoogleAuth(none, lambda: None))
    assert "gcloud auth application-default login" in raised.value.hint
    assert server.requests == []


def test_a_token_service_that_is_down_is_worth_another_try() -> None:
    from google.auth.exceptions import TransportError

    credentials = Credentials(TransportError("connection refused"))
    with scripted(lambda path, headers: as_json({})) as server, pytest.raises(TemporaryError, match="refused"):
        get(server.url, GoogleAuth(lambda: credentials, lambda: None))
