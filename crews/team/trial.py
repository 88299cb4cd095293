"""Tries the configured model: how fast it reads and writes, whether it calls tools and keeps to a schema."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from crews.team.budget import RunBudget, RunControl, RunOver
from crews.team.completion import Completion
from crews.team.hosts import ModelHosts, Request
from crews.team.outputs import Answer, schema_of
from crews.team.queue import Priority
from crews.team.salvage import written_calls
from crews.team.state import ModelState, ModelTrouble, bare_name, hosts_of, is_ollama, model_state
from opscrew.settings import ModelSettings
from tools.errors import UpstreamError
from tools.ollama.client import OllamaClient
from tools.ollama.records import Timing

TYPICAL_PROMPT_TOKENS, TYPICAL_ANSWER_TOKENS = 2_000, 150
"""A full packet and a short answer."""

TRIAL_SECONDS = 180.0

_TOOL = {
    "type": "function",
    "function": {
        "name": "pods_log",
        "description": "Gets the log of one pod.",
        "parameters": {"type": "object", "properties": {"pod": {"type": "string"}}, "required": ["pod"]},
    },
}


@dataclass(frozen=True)
class Trial:
    """Speeds in tokens per second; None where the host does not say. ``problem`` names what could not be tried."""

    state: ModelState
    prompt_speed: float | None = None
    output_speed: float | None = None
    load_seconds: float | None = None
    calls_tools: bool | None = None
    obeys_schema: bool | None = None
    problem: str = ""

    @property
    def typical_seconds(self) -> float | None:
        """What a full packet and a short answer take, nothing cached."""
        if not self.prompt_speed or not self.output_speed:
            return None
        return TYPICAL_PROMPT_TOKENS / self.prompt_speed + TYPICAL_ANSWER_TOKENS / self.output_speed


def try_model(settings: ModelSettings, data_dir: Path) -> Trial:
    """Never raises for trouble with the model; takes at most some minutes on a slow machine."""
    state = model_state(settings)
    if not state.ready:
        return Trial(state)
    hosts = ModelHosts(settings, data_dir)
    try:
        with hosts.people.asking():
            return _tried(settings, state, hosts)
    except (ModelTrouble, RunOver, UpstreamError) as trouble:
        return Trial(state, problem=str(trouble))
    finally:
        hosts.close()


def _tried(settings: ModelSettings, state: ModelState, hosts: ModelHosts) -> Trial:
    timing = _timing(settings) if is_ollama(settings.name) else None
    return Trial(
        state,
        prompt_speed=timing.prompt_speed if timing else None,
        output_speed=timing.output_speed if timing else None,
        load_seconds=timing.load_seconds if timing else None,
        calls_tools=_calls_tools(hosts),
        obeys_schema=_obeys_schema(hosts),
    )


def _timing(settings: ModelSettings) -> Timing:
    token = settings.token.get_secret_value() if settings.token else ""
    with OllamaClient(hosts_of(settings)[0], token=token, timeout_seconds=TRIAL_SECONDS) as client:
        # The number at the head makes the text new to the host: a prompt it remembers costs nothing to read.
        words = " ".join(f"pod-{number} restarted {number * 7 % 13} times;" for number in range(60))
        return client.timed_answer(
            bare_name(settings.name),
            f"{time.time_ns()}: {words} Which pod restarted most often?",
            context_tokens=settings.context_tokens,
            keep_alive=settings.keep_alive,
        )


def _calls_tools(hosts: ModelHosts) -> bool:
    ask = "Get the log of the pod web-1 with the tool pods_log."
    completion = _complete(hosts, Request([{"role": "user", "content": ask}], tools=[_TOOL], max_tokens=120))
    named = [call["name"] for call in completion.tool_calls]
    return "pods_log" in named or bool(written_calls(completion.text, {"pods_log"}))


def _obeys_schema(hosts: ModelHosts) -> bool:
    ask = "Evidence: E1: the pod web-1 restarted 7 times. Which pod restarted? Answer in one sentence."
    completion = _complete(hosts, Request([{"role": "user", "content": ask}], schema=schema_of(Answer), max_tokens=900))
    try:
        Answer.model_validate(json.loads(completion.text), strict=True)
    except ValueError:
        return False
    return True


def _complete(hosts: ModelHosts, request: Request) -> Completion:
    control = RunControl(RunBudget(deadline_seconds=TRIAL_SECONDS))
    return hosts.complete(request, control, Priority.PERSON, lambda: control.seconds_left)
