"""LiteLLM at the edge: how a request is worded for Ollama and for everything else, and what its errors mean."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from crews.team.completion import Collected
from crews.team.state import Condition, ModelTrouble, bare_name, hosts_of, is_ollama
from crews.team.switches import quiet_libraries, reach_directly, set_switches
from opscrew.redaction import redact
from opscrew.settings import ModelSettings

if TYPE_CHECKING:
    from crews.team.hosts import Request


TIMER_SLACK_SECONDS = 5.0
"""LiteLLM's own timer is only a second line: ours tells a deadline from a broken connection, LiteLLM's does not."""


CONNECT_SECONDS = 3.0
"""For a connection alone: a machine that is switched off must not eat the time of the one that stands in for it.
LiteLLM's own time limit covers the whole answer and cannot tell the two apart."""


SILENT_SECONDS = 60.0
"""A host where nobody listened is asked last for this long, so that only one call a minute pays for looking."""


class Provider:
    """Built on first use: importing litellm takes seconds."""

    def __init__(self, settings: ModelSettings, data_dir: Path) -> None:
        set_switches(data_dir)
        import litellm

        self._litellm = litellm
        self._settings = settings
        self._ollama = is_ollama(settings.name)
        self._silent_until: dict[str, float] = {}
        # LiteLLM's own ``ollama/`` route has no native tool calls; the same model is reached by the chat route.
        self._model = f"ollama_chat/{bare_name(settings.name)}" if self._ollama else settings.name
        quiet_libraries()
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        litellm.drop_params = True
        # A model without a known price is looked up at /api/show, synchronously on the event loop, after each call.
        # Written straight into the table, since register_model itself asks a host on this machine's default port.
        price = {"input_cost_per_token": 0, "output_cost_per_token": 0, "mode": "chat"}
        price["litellm_provider"] = self._model.split("/")[0]
        litellm.model_cost.update({self._model: price, bare_name(settings.name): price})
        hosts = hosts_of(settings)
        reach_directly(host for host in hosts if self._has_address(host))
        self._router = self._build_router(hosts) if len(hosts) > 1 else None

    async def stream(self, request: Request, host: str, seconds: float, collected: Collected) -> None:
        """Fills ``collected``. Raises ``ModelTrouble``; closes the connection on every way out."""
        trouble: ModelTrouble | None = None
        stream: Any = None
        try:
            stream = await self._open(request, host, seconds)
            async for chunk in stream:
                collected.add(chunk)
                if collected.repeating:
                    break
            if not collected.whole and not collected.repeating:
                trouble = ModelTrouble(Condition.UNREACHABLE, "the connection broke off")
        except Exception as problem:  # noqa: BLE001  every provider has exceptions of its own; all become one kind
            trouble = self._trouble(problem)
        finally:
            await _close(stream)
        if trouble is not None:
            # Raised here, outside of the handler: crewai walks the chain of causes and would retry by itself.
            raise trouble

    async def _open(self, request: Request, host: str, seconds: float) -> Any:
        wanted: dict[str, Any] = {
            "messages": request.messages,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": self._settings.temperature,
            "max_tokens": request.max_tokens,
            "timeout": seconds + TIMER_SLACK_SECONDS,
            **self._ollama_options(),
        }
        if request.tools:
            wanted["tools"] = request.tools
        if request.schema is not None:
            wanted["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": request.schema},
            }
        host = await self._listening(host)
        if self._router is not None:
            return await self._router.acompletion(model=host, **wanted)
        base = host if self._has_address(host) else None
        return await self._litellm.acompletion(
            model=self._model, api_base=base, api_key=self._token(), num_retries=0, max_retries=0, **wanted
        )

    def _has_address(self, host: str) -> bool:
        """A model of a hosted service has its address in LiteLLM, unless a person set another."""
        return self._ollama or host != ModelSettings.model_fields["url"].default

    async def _listening(self, host: str) -> str:
        """``host``, or the first of the others where somebody listens."""
        if not self._has_address(host):
            return host
        now = time.monotonic()
        candidates = dict.fromkeys((host, *hosts_of(self._settings)))
        for candidate in sorted(candidates, key=lambda one: self._silent_until.get(one, 0) > now):
            if await _listens(candidate):
                return candidate
            self._silent_until[candidate] = now + SILENT_SECONDS
        raise ModelTrouble(Condition.UNREACHABLE, f"nobody listens at {host}")

    def _ollama_options(self) -> dict[str, Any]:
        if not self._ollama:
            return {}
        return {
            "num_ctx": self._settings.context_tokens,  # always the same: a change reloads the model
            "keep_alive": self._settings.keep_alive,
            "think": False,  # unset means yes, and then the schema is ignored until thinking ends
            "extra_body": {"truncate": False},  # an overlong prompt is an error, never silently cut
        }

    def _build_router(self, hosts: tuple[str, ...]) -> Any:
        """One group per host, so that our queue decides which host is asked; the others stand in when it fails."""
        from litellm.router import Router

        groups = [
            {
                "model_name": host,
                "litellm_params": {
                    "model": self._model,
                    "api_base": host,
                    "api_key": self._token(),
                    "max_retries": 0,
                },
            }
            for host in hosts
        ]
        fallbacks = [{host: [other for other in hosts if other != host]} for host in hosts]
        return Router(
            model_list=groups, fallbacks=fallbacks, num_retries=0, allowed_fails=0, cooldown_time=30, set_verbose=False
        )

    def _token(self) -> str | None:
        if self._settings.token:
            return self._settings.token.get_secret_value()
        # OpenAI's own client refuses to start without a key, even where the server wants none.
        return None if self._ollama else "none"

    def _trouble(self, problem: Exception) -> ModelTrouble:
        name = type(problem).__name__
        code = getattr(problem, "status_code", None)
        said = redact(str(problem)).splitlines()[0][:300] if str(problem) else name
        low = said.lower()
        if isinstance(problem, ModelTrouble):
            return problem
        if isinstance(problem, self._litellm.exceptions.Timeout | TimeoutError):
            return ModelTrouble(Condition.SLOW, "no answer in time")
        if "context length" in low or "context window" in low or "contextwindow" in name.lower():
            return ModelTrouble(Condition.TOO_SMALL, "the prompt is longer than the model reads")
        if code == 404 or ("model" in low and "not found" in low):
            return ModelTrouble(Condition.MISSING, f"the host does not have {bare_name(self._settings.name)}")
        if code in (401, 403):
            return ModelTrouble(Condition.REFUSED, "the host refused our token")
        if "provider not provided" in low:
            hint = "it is written as provider/model, as in openai/my-model"
            return ModelTrouble(Condition.REFUSED, f"LiteLLM knows no provider of this name; {hint}")
        if code in (400, 422):
            return ModelTrouble(Condition.REFUSED, "the host rejected what we asked of this model")
        if "connect" in low or "connection" in name.lower():
            return ModelTrouble(Condition.UNREACHABLE, "the connection failed or broke off")
        return ModelTrouble(Condition.BROKEN, f"the host answered with an error ({code or name})")


async def _listens(url: str) -> bool:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), CONNECT_SECONDS)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True


async def _close(stream: Any) -> None:
    """Leaving a stream without closing it lets the host go on generating."""
    for candidate in (stream, getattr(stream, "completion_stream", None)):
        closing = getattr(candidate, "aclose", None)
        if closing is not None:
            try:
                await closing()
            except Exception:  # noqa: BLE001  closing what is already broken tells nothing new
                return
