"""Whether the model can be used, in words that `crew doctor` and every answer can show.

Cheap: it asks the host about itself and never loads a model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opscrew.settings import ModelSettings
from tools.errors import PermanentError, UpstreamError
from tools.ollama.client import OllamaClient
from tools.ollama.records import ModelCard

OLLAMA_PREFIXES = ("ollama_chat/", "ollama/")


class Condition(StrEnum):
    """How the model is. Only ``READY`` lets a run begin."""

    READY = "ready"
    OFF = "off"
    UNREACHABLE = "unreachable"
    MISSING = "missing"
    RESTING = "resting"
    REFUSED = "refused"
    BROKEN = "broken"
    SLOW = "slow"
    TOO_SMALL = "context too small"


@dataclass(frozen=True)
class ModelState:
    """``detail`` is one sentence on what is so, ``hint`` one on what to do. ``hosts`` are those that answered."""

    name: str
    condition: Condition
    detail: str = ""
    hint: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return self.condition is Condition.READY

    def __str__(self) -> str:
        return f"model {self.name}: {self.condition}" + (f" ({self.detail})" if self.detail else "")


class ModelTrouble(Exception):
    """A call to the model gave nothing. The message must not contain a framework's own trigger words
    ("context length", "rate limit"): crewai decides about summaries and retries by searching exception texts."""

    def __init__(self, condition: Condition, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.message = message


def is_ollama(name: str) -> bool:
    return name.startswith(OLLAMA_PREFIXES)


def bare_name(name: str) -> str:
    """``ollama_chat/qwen3:4b`` → ``qwen3:4b``."""
    for prefix in OLLAMA_PREFIXES:
        name = name.removeprefix(prefix)
    return name


def hosts_of(settings: ModelSettings) -> tuple[str, ...]:
    """Every host, each once, the first one first."""
    return tuple(dict.fromkeys(url.rstrip("/") for url in (settings.url, *settings.hosts)))


def model_state(settings: ModelSettings, *, timeout_seconds: float = 2) -> ModelState:
    """Looks at every host. Never raises; takes at most about ``timeout_seconds`` for each host that hangs."""
    if settings.name == "none":
        return ModelState("none", Condition.OFF, "answers are facts without prose", "Set model.name to switch it on.")
    if not is_ollama(settings.name):
        return ModelState(settings.name, Condition.READY, "not an Ollama model; it is tried when it is needed")
    token = settings.token.get_secret_value() if settings.token else ""
    states = [_state_of_host(settings, url, token, timeout_seconds) for url in hosts_of(settings)]
    ready = tuple(url for state in states if state.ready for url in state.hosts)
    first = next((state for state in states if state.ready), states[0])
    return ModelState(settings.name, first.condition, first.detail, first.hint, ready)


def _state_of_host(settings: ModelSettings, url: str, token: str, timeout_seconds: float) -> ModelState:
    name = settings.name
    with OllamaClient(url, token=token, timeout_seconds=timeout_seconds) as client:
        try:
            card = client.card(bare_name(name))
        except PermanentError as problem:
            if problem.message == "not found":
                hint = f"Run `ollama pull {bare_name(name)}` there; docs/MODELS.md lists models by memory."
                return ModelState(name, Condition.MISSING, f"{client.url} does not have it", hint)
            return ModelState(name, Condition.REFUSED, str(problem), problem.hint)
        except UpstreamError as problem:
            return ModelState(name, Condition.UNREACHABLE, str(problem), problem.hint)
        return _state_of_card(settings, card, client.url)


def _state_of_card(settings: ModelSettings, card: ModelCard, url: str) -> ModelState:
    known = card.context_tokens
    if known is not None and known < settings.context_tokens:
        detail = f"it reads {known} tokens at most, model.context_tokens says {settings.context_tokens}"
        return ModelState(settings.name, Condition.TOO_SMALL, detail, f"Set model.context_tokens to {known} or less.")
    note = "" if card.calls_tools else "it was not made to call tools, so answers use the first evidence only"
    return ModelState(settings.name, Condition.READY, note, hosts=(url,))
