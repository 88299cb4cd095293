"""One answer of a model, gathered piece by piece so that a part of it survives a deadline or a broken connection."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from crews.team.budget import Ending
from crews.team.repetition import repeated_tail
from opscrew.memory.prompt_view import estimated_tokens

CHECK_EVERY = 200
"""Characters between two looks for repetition."""


@dataclass(frozen=True)
class Completion:
    """``tool_calls`` have the keys name and arguments (JSON text). ``ended`` is None for a whole answer.

    ``counted`` says whether the server gave token numbers; a cut answer has none. ``seconds_to_first_word`` are all
    of them where there is none.
    """

    text: str
    tool_calls: tuple[dict[str, str], ...]
    prompt_tokens: int
    output_tokens: int
    finish: str
    ended: Ending | None
    seconds: float
    counted: bool
    seconds_to_first_word: float = 0.0


class Collected:
    """Filled on the model's loop, read on the caller's thread when the call is over."""

    def __init__(self, on_text: Callable[[str], None] | None = None) -> None:
        self.on_text = on_text
        self.text = ""
        self.repeating = False
        self._checked = 0
        self._began = 0.0
        self._started = time.monotonic()
        self._calls: list[dict[str, str]] = []
        self._usage: Any = None
        self._finish = ""

    @property
    def whole(self) -> bool:
        """Whether the host said that it is done. LiteLLM ends a stream quietly when the connection breaks."""
        return bool(self._finish)

    @property
    def seconds_of_writing(self) -> float:
        """Since the first word; 0 before it."""
        return time.monotonic() - self._began if self.text else 0.0

    @property
    def is_silent(self) -> bool:
        """Neither a word nor a call has come."""
        return not self.text and not self._calls

    @property
    def written_tokens(self) -> int:
        """As far as can be told before the host counts them."""
        return estimated_tokens(self.text)

    def add(self, chunk: Any) -> None:
        """Takes one chunk of LiteLLM's stream."""
        if getattr(chunk, "usage", None):
            self._usage = chunk.usage
        for choice in chunk.choices or ():
            self._finish = choice.finish_reason or self._finish
            for call in getattr(choice.delta, "tool_calls", None) or ():
                self._add_call(call)
            if choice.delta.content:
                self._add_text(choice.delta.content)

    def _add_text(self, piece: str) -> None:
        if not self.text:
            self._began = time.monotonic()
        self.text += piece
        if self.on_text is not None:
            self.on_text(self.text)
        if len(self.text) - self._checked >= CHECK_EVERY:
            self._checked = len(self.text)
            self.repeating = bool(repeated_tail(self.text))

    def _add_call(self, call: Any) -> None:
        """OpenAI sends a call in pieces that share an index; Ollama sends each call whole."""
        name, arguments = call.function.name, call.function.arguments
        if isinstance(arguments, dict):
            arguments = json.dumps(arguments)
        self._began = self._began or time.monotonic()
        if not name and self._calls:
            self._calls[-1]["arguments"] += arguments or ""
        else:
            self._calls.append({"name": name or "", "arguments": arguments or ""})

    def completion(self, ended: Ending | None, seconds: float) -> Completion:
        usage = self._usage
        return Completion(
            text=self.text,
            tool_calls=tuple(self._calls),
            prompt_tokens=int(getattr(usage, "prompt_tokens", 0) or 0),
            output_tokens=int(getattr(usage, "completion_tokens", 0) or 0),
            finish=self._finish,
            ended=ended,
            seconds=seconds,
            counted=usage is not None,
            seconds_to_first_word=self._began - self._started if self._began else seconds,
        )
