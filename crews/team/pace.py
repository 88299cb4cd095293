"""How fast the model has read and written lately, so that nobody waits for what cannot be there in time.

It is kept in the data folder, because each `crew ask` is a process of its own. After a while it is forgotten and tried
anew: a machine that was busy is free again some time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from crews.team.completion import Completion
from crews.team.state import bare_name

FORGOTTEN_AFTER = 900.0
"""Seconds. Every fifteen minutes one question pays for looking again."""

FIRST_SENTENCE_TOKENS = 40
"""To be written until something can be shown: the beginning of the JSON, and a sentence."""

FIRST_WORD_SHARE = 0.75
"""Of the time of a call. Who has not written a word by then would not get a sentence done."""

MOST_MISSES = 2
"""In a row without a single word. After one the model may merely have been loading."""

UNKNOWN_RATIO = 1.1
"""Until the host has counted a prompt. Our own estimate was up to 6 % below a real tokenizer."""

LEAST_SECONDS = 0.05
"""Shorter times say more about the clock than about the model."""

WRITING_SECONDS = 3.0
"""Of writing, after which its speed is known well enough to give it up."""


@dataclass(frozen=True)
class Pace:
    """Tokens per second; 0 where unknown. ``ratio`` is how many tokens the host counts for one of ours."""

    read: float = 0.0
    written: float = 0.0
    ratio: float = UNKNOWN_RATIO
    misses: int = 0
    at: float = 0.0

    def seconds_for(self, prompt_tokens: int, answer_tokens: int) -> float:
        """As far as is known; 0 where nothing is."""
        reading = prompt_tokens / self.read if self.read else 0.0
        return reading + (answer_tokens / self.written if self.written else 0.0)


class Paces:
    """Of one model of one data folder. Where nothing can be written there, nothing is remembered."""

    def __init__(self, data_dir: Path, model: str, clock: Callable[[], float] = time.time) -> None:
        self._file = data_dir / "model" / "pace.json"
        self._model = bare_name(model)
        self._clock = clock

    def last(self) -> Pace:
        """What is known and not too old."""
        try:
            found = Pace(**json.loads(self._file.read_text(encoding="utf-8"))[self._model])
        except (OSError, ValueError, KeyError, TypeError):
            return Pace()
        if self._clock() - found.at < FORGOTTEN_AFTER:
            return found
        return Pace(ratio=found.ratio)

    def too_slow(self, prompt_tokens: int, seconds: float) -> str:
        """Why a first sentence over such a prompt cannot be there in ``seconds``; "" where it can, as far as known."""
        pace = self.last()
        if pace.misses >= MOST_MISSES:
            return f"it wrote nothing in time for {pace.misses} questions in a row"
        needed = pace.seconds_for(prompt_tokens, FIRST_SENTENCE_TOKENS)
        return f"it needs about {needed:.0f} s for a first sentence" if needed > seconds else ""

    def note(self, completion: Completion, prompt_tokens: int, ratio: float) -> None:
        """One call that reached the host. ``prompt_tokens`` are ours, as ``too_slow`` is asked with."""
        before, first = self.last(), completion.seconds_to_first_word
        if not completion.text and not completion.tool_calls:
            self._write(replace(before, misses=before.misses + 1, at=self._clock()))
            return
        writing = completion.seconds - first
        is_measured = completion.counted and writing > LEAST_SECONDS
        written = completion.output_tokens / writing if is_measured else before.written
        read = prompt_tokens / max(first, LEAST_SECONDS)
        self._write(Pace(round(read, 1), round(written, 1), round(max(1.0, ratio), 3), 0, self._clock()))

    def _write(self, pace: Pace) -> None:
        """Whole or not at all; two that write at once leave one of the two."""
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            part = self._file.with_name(f"pace.{os.getpid()}.part")
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump({self._model: asdict(pace)}, file)
            part.replace(self._file)
