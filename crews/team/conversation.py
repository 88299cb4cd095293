"""One run's talk with the model: what is sent, what it costs, and how an answer of any shape is read.

It knows nothing of crewai; ``local_model.py`` lends it crewai's interface.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crews.team.budget import Ending, RunControl, RunOver
from crews.team.completion import Completion
from crews.team.hosts import ModelHosts, Request
from crews.team.outputs import Output, prose_so_far, read_output
from crews.team.queue import Priority
from crews.team.repetition import without_repetition
from crews.team.salvage import written_calls
from crews.team.state import Condition, ModelTrouble
from crews.team.toolbox import UNREADABLE, Toolbox
from opscrew.answer.tokens import CountTokens
from opscrew.memory.prompt_view import estimated_tokens

MESSAGE_TOKENS = 6
"""What the chat template of a model puts around each message."""

_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|$)", re.DOTALL)
_KEPT_KEYS = ("role", "content", "tool_calls", "tool_call_id", "name")


@dataclass
class Wanted:
    """What the next answer must be like. ``schema`` binds calls without tools to ``output``."""

    output: type[Output]
    schema: dict[str, Any]
    on_token: Callable[[str], None] | None = None


class Conversation:
    """Answers messages with text, or with tool calls in OpenAI's shape. Raises ``RunOver`` and ``ModelTrouble``."""

    def __init__(
        self, hosts: ModelHosts, control: RunControl, toolbox: Toolbox, priority: Priority, wanted: Wanted
    ) -> None:
        self.hosts = hosts
        self.control = control
        self.toolbox = toolbox
        self.priority = priority
        self.wanted = wanted
        self.ended: Ending | None = None
        """Why the last answer was cut, or None for a whole one."""
        self.stopped: RunOver | ModelTrouble | None = None
        """What ended the talk, kept because a framework in between may wrap exceptions."""
        self.last_answer: str | Output | None = None
        """The final answer itself: on its way back crewai may turn it into something else."""
        self.shown = 0
        """Characters that ``on_token`` has heard."""

    def answer(self, messages: list[dict[str, Any]], *, with_tools: bool) -> str | Output | list[dict[str, Any]]:
        """One call. Without tools the answer is an ``Output``; with tools it is text or a list of calls."""
        try:
            completion = self._complete([_plain(message) for message in messages], with_tools)
            answer = self._with_tools(completion) if with_tools else self._structured(completion)
            self.last_answer = None if isinstance(answer, list) else answer
            return answer
        except (RunOver, ModelTrouble) as stop:
            self.stopped = stop
            raise

    def _complete(self, messages: list[dict[str, Any]], with_tools: bool) -> Completion:
        tools = [tool.as_function for tool in self.toolbox.tools] if with_tools else []
        control, account = self.control, self.control.account
        estimate = _tokens(messages, tools, account.count if account else estimated_tokens)
        control.check(with_tools=with_tools, next_tokens=estimate)
        left = control.seconds_left_for_tools if with_tools else control.seconds_left
        if account is not None and (slow := self.hosts.pace.too_slow(estimate, left)):
            raise RunOver(Ending.SLOW, slow)
        room = self.hosts.settings.context_tokens - control.budget.answer_tokens
        if estimate // 2 > room:
            # The estimate errs on the large side, so only what is surely too long is kept from the host. The host
            # refuses the rest by itself.
            raise ModelTrouble(Condition.TOO_SMALL, "the prompt is longer than the model reads")
        request = Request(
            messages=messages,
            tools=tools,
            schema=None if with_tools else self.wanted.schema,
            max_tokens=control.budget.answer_tokens,
            on_text=None if with_tools else self._show,
        )
        booked = account.book(estimate) if account else 0
        completion = self.hosts.complete(
            request,
            control,
            self.priority,
            lambda: control.seconds_left_for_tools if with_tools else control.seconds_left,
        )
        prompt = completion.prompt_tokens if completion.counted else booked or estimate
        output = completion.output_tokens if completion.counted else estimated_tokens(completion.text)
        control.spend(prompt, output)
        if account is not None:
            account.correct(booked, prompt)
            if completion.ended is not Ending.CANCELLED:
                self.hosts.pace.note(completion, estimate, account.ratio)
        return completion

    def _show(self, text: str) -> None:
        """Streams the prose inside the JSON that is being written."""
        if self.wanted.on_token is None:
            return
        prose = prose_so_far(self.wanted.output, text)
        if len(prose) > self.shown:
            piece, self.shown = prose[self.shown :], len(prose)
            self.wanted.on_token(piece)

    def _structured(self, completion: Completion) -> Output:
        self.ended = completion.ended
        text = without_repetition(_THINKING.sub("", completion.text))
        output = read_output(self.wanted.output, text)
        prose = str(getattr(output, output.prose, "")).strip()
        if not prose and completion.ended is Ending.MODEL_UNAVAILABLE:
            raise ModelTrouble(Condition.UNREACHABLE, "the connection broke off")
        if not prose and not getattr(output, "missing", None):
            raise RunOver(completion.ended or Ending.EMPTY, "the model wrote nothing that can be used")
        return output.model_copy(update={output.prose: without_repetition(prose)})

    def _with_tools(self, completion: Completion) -> str | list[dict[str, Any]]:
        calls = [(call["name"], _arguments(call["arguments"])) for call in completion.tool_calls]
        text = without_repetition(_THINKING.sub("", completion.text)).strip()
        if not calls:
            calls = [(call.name, call.arguments) for call in written_calls(text, self.toolbox.names)]
        if calls:
            for name, _ in calls:
                if name not in self.toolbox.names:
                    self.control.note_fruitless()  # crewai answers such a call itself, past the gate
            return [_openai_call(index, name, arguments) for index, (name, arguments) in enumerate(calls)]
        if completion.ended is not None:
            raise RunOver(completion.ended)
        if not text:
            raise RunOver(Ending.EMPTY, "neither a call nor a word")
        return text


def _tokens(messages: list[dict[str, Any]], tools: list[dict[str, Any]], count: CountTokens) -> int:
    """Of all that a host reads for one call."""
    said = sum(count(str(message.get("content", ""))) + MESSAGE_TOKENS for message in messages)
    called = [message["tool_calls"] for message in messages if message.get("tool_calls")]
    return said + sum(count(json.dumps(part, ensure_ascii=False)) for part in (*called, *tools))


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """Only what providers understand; crewai adds keys of its own, and a call without words has content None."""
    kept = {key: message[key] for key in _KEPT_KEYS if message.get(key) is not None}
    kept.setdefault("content", "")
    return kept


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text) if text.strip() else {}
    except (ValueError, RecursionError):
        return {UNREADABLE: text[:200]}
    return value if isinstance(value, dict) else {UNREADABLE: text[:200]}


def _openai_call(index: int, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"call_{index}",
        "type": "function",
        "function": {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)},
    }
