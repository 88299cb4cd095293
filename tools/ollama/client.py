"""A thin client for the parts of Ollama's API that describe a host (https://docs.ollama.com/api)."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx
from pydantic import ValidationError

from tools.errors import PermanentError, TemporaryError
from tools.ollama.records import InstalledModel, LoadedModel, ModelCard, Timing
from tools.trust import trusted_certificates

SYSTEM = "ollama"

R = TypeVar("R", InstalledModel, LoadedModel)


class OllamaClient:
    """Synchronous and thread-safe. ``timeout_seconds`` is short: these calls never wait for a model."""

    def __init__(
        self,
        url: str,
        *,
        token: str = "",
        timeout_seconds: float = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.url = _without_credentials(url)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(
            base_url=url.rstrip("/"),
            headers=headers,
            verify=trusted_certificates(),
            timeout=timeout_seconds,
            transport=transport,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def version(self) -> str:
        """The server's version ("0.24.0")."""
        return str(self._ask("GET", "/api/version").get("version", ""))

    def installed(self) -> tuple[InstalledModel, ...]:
        """The models on the host's disk."""
        return self._records("GET", "/api/tags", InstalledModel)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """The models in memory now."""
        return self._records("GET", "/api/ps", LoadedModel)

    def card(self, model: str) -> ModelCard:
        """Capabilities and context length. Raises ``PermanentError`` where the host does not have the model."""
        answer = self._ask("POST", "/api/show", {"model": model})
        try:
            return ModelCard.model_validate(answer)
        except ValidationError as problem:
            raise self._malformed("/api/show") from problem

    def timed_answer(self, model: str, prompt: str, *, context_tokens: int, keep_alive: str) -> Timing:
        """Lets the model read ``prompt`` and write a little, and returns the host's own timing."""
        body = {
            "model": model,
            "messages": [{"role": "user", "content": prompt}],
            "stream": False,
            "think": False,
            "keep_alive": keep_alive,
            "options": {"num_ctx": context_tokens, "num_predict": 48, "temperature": 0},
        }
        answer = self._ask("POST", "/api/chat", body)
        try:
            return Timing.model_validate(answer)
        except ValidationError as problem:
            raise self._malformed("/api/chat") from problem

    def _records(self, method: str, path: str, kind: type[R]) -> tuple[R, ...]:
        answer = self._ask(method, path).get("models") or []
        try:
            return tuple(kind.model_validate(entry) for entry in answer)
        except (ValidationError, TypeError) as problem:
            raise self._malformed(path) from problem

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        where = self.url + path
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.TimeoutException as problem:
            raise TemporaryError("no answer in time", system=SYSTEM, url=where, hint="Is the host busy?") from problem
        except httpx.HTTPError as problem:
            hint = "Start it with `ollama serve`, or set model.url."
            raise TemporaryError(f"cannot be reached ({problem})", system=SYSTEM, url=where, hint=hint) from problem
        if answer.status_code == 404:
            raise PermanentError("not found", system=SYSTEM, url=where, hint="`crew model list` shows what is there.")
        if answer.status_code in (401, 403):
            raise PermanentError("refused our token", system=SYSTEM, url=where, hint="Set CREW_MODEL__TOKEN.")
        if answer.status_code >= 400:
            raise TemporaryError(f"answered {answer.status_code}", system=SYSTEM, url=where)
        try:
            value = answer.json()
        except ValueError as problem:
            raise self._malformed(path) from problem
        if not isinstance(value, dict):
            raise self._malformed(path)
        return value

    def _malformed(self, path: str) -> PermanentError:
        hint = "Is this really an Ollama server? model.url must be its root, without /v1 or /api."
        return PermanentError("gave an answer we cannot read", system=SYSTEM, url=self.url + path, hint=hint)


def _without_credentials(url: str) -> str:
    parts = urlsplit(url.rstrip("/"))
    host = parts.hostname or ""
    return urlunsplit((parts.scheme, f"{host}:{parts.port}" if parts.port else host, parts.path, "", ""))
