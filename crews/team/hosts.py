"""The connection to the model: one private event loop, one queue, one breaker, LiteLLM at the edge.

Everything that may hang happens on the private loop, while the caller's thread looks at the clock every tenth of a
second. So a deadline holds in wall time whatever the server does.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from crews.team import provider
from crews.team.breaker import Breaker
from crews.team.budget import Ending, Monotonic, RunControl, RunOver
from crews.team.completion import Collected, Completion
from crews.team.pace import FIRST_SENTENCE_TOKENS, FIRST_WORD_SHARE, WRITING_SECONDS, Paces
from crews.team.people import People
from crews.team.queue import POLL_SECONDS, HostQueue, Priority
from crews.team.state import Condition, ModelState, ModelTrouble, hosts_of
from opscrew.settings import ModelSettings

CLOSING_SECONDS = 1.0
"""How long a cancelled call may take to close its connection before we go on without waiting for it."""


LET_GO_ON_SECONDS = 2.0
"""A background answer that is being written for longer makes way for a person. While the host still reads the prompt,
stopping it would free nothing; a short answer is over sooner than it is stopped."""


@dataclass(frozen=True)
class Request:
    """One call. ``schema`` bounds the answer to JSON; ``on_text`` hears all text so far each time some arrives."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] = field(default_factory=list)
    schema: dict[str, Any] | None = None
    max_tokens: int = 500
    on_text: Callable[[str], None] | None = None


class ModelHosts:
    """Lives as long as the process: the queue and the breaker are worth nothing if each run had its own."""

    def __init__(
        self,
        settings: ModelSettings,
        data_dir: Path,
        *,
        breaker: Breaker | None = None,
        clock: Monotonic = time.monotonic,
    ) -> None:
        self.settings = settings
        self.data_dir = data_dir
        self.queue = HostQueue(hosts_of(settings), clock)
        self.people = People(data_dir)
        self.pace = Paces(data_dir, settings.name)
        self.breaker = breaker or Breaker(clock=clock)
        self._provider: provider.Provider | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._starting = threading.Lock()

    def state(self) -> ModelState | None:
        """What the breaker knows without asking anybody: off, resting, or None for "try it"."""
        if self.settings.name == "none":
            return ModelState("none", Condition.OFF, "answers are facts without prose", "Set model.name.")
        left = self.breaker.seconds_left
        if left > 0:
            detail = f"it failed repeatedly and is tried again in {left:.0f} s: {self.breaker.last_error}"
            return ModelState(self.settings.name, Condition.RESTING, detail, "`crew doctor` shows the model's state.")
        return None

    def complete(
        self, request: Request, control: RunControl, priority: Priority, seconds_left: Callable[[], float]
    ) -> Completion:
        """Waits for a turn, asks, and returns what came before the time was over.

        Raises ``RunOver`` where nothing could be asked in time, ``ModelTrouble`` where the model gave nothing.
        """
        if not self.breaker.allows():
            raise ModelTrouble(Condition.RESTING, self.breaker.last_error)
        try:
            answer = None
            while answer is None:  # it made way for a person, and is asked again when that one has an answer
                answer = self._asked(request, control, priority, seconds_left)
            completion, trouble = answer
        except RunOver:
            self.breaker.gave_up()
            raise
        if trouble is not None:
            if trouble.condition in (Condition.UNREACHABLE, Condition.BROKEN, Condition.SLOW):
                self.breaker.failed(trouble.message)
            else:
                self.breaker.gave_up()
            if not completion.text:
                raise trouble
            return replace(completion, ended=Ending.MODEL_UNAVAILABLE)
        if completion.ended is None or completion.text or completion.tool_calls:
            self.breaker.succeeded()
        elif completion.ended in (Ending.DEADLINE, Ending.SLOW):
            self.breaker.failed(f"no word within {completion.seconds:.0f} s")
        else:
            self.breaker.gave_up()
        return completion

    def _asked(
        self, request: Request, control: RunControl, priority: Priority, seconds_left: Callable[[], float]
    ) -> tuple[Completion, ModelTrouble | None] | None:
        """None where a background call made way."""
        background = priority is Priority.BACKGROUND
        while background and self.people.ask_now():
            if control.cancelled or seconds_left() <= 0:
                raise _no_turn(control)
            time.sleep(POLL_SECONDS)
        with self.queue.turn(priority, seconds_left(), lambda: control.cancelled) as host:
            if host is None:
                raise _no_turn(control)
            return self._watched(request, control, host, seconds_left, makes_way=background)

    def _watched(
        self,
        request: Request,
        control: RunControl,
        host: str,
        seconds_left: Callable[[], float],
        *,
        makes_way: bool,
    ) -> tuple[Completion, ModelTrouble | None] | None:
        self._start()
        assert self._loop is not None
        assert self._provider is not None
        if seconds_left() <= 0:
            raise RunOver(Ending.DEADLINE, "the libraries took all of the time to start")
        collected = Collected(request.on_text)
        started = time.monotonic()
        asking = self._provider.stream(request, host, seconds_left(), collected)
        silent_until = started + seconds_left() * FIRST_WORD_SHARE if control.account else math.inf
        future = asyncio.run_coroutine_threadsafe(asking, self._loop)
        ended: Ending | None = None
        while not future.done():
            ended = _ended(control, collected, seconds_left(), silent_until)
            if ended is not None:
                future.cancel()
                concurrent.futures.wait([future], CLOSING_SECONDS)
                break
            if makes_way and collected.seconds_of_writing > LET_GO_ON_SECONDS and self.people.ask_now():
                future.cancel()
                concurrent.futures.wait([future], CLOSING_SECONDS)
                return None
            concurrent.futures.wait([future], POLL_SECONDS)
        problem = future.exception() if future.done() and not future.cancelled() else None
        trouble = problem if isinstance(problem, ModelTrouble) else None
        if problem is not None and trouble is None:
            trouble = ModelTrouble(Condition.BROKEN, f"{type(problem).__name__}: {problem}"[:300])
        if collected.repeating:
            ended = Ending.REPETITION
        return collected.completion(ended, time.monotonic() - started), trouble

    def _start(self) -> None:
        with self._starting:
            if self._loop is not None:
                return
            self._provider = provider.Provider(self.settings, self.data_dir)
            loop = asyncio.new_event_loop()
            threading.Thread(target=loop.run_forever, name="model", daemon=True).start()
            self._loop = loop

    def close(self) -> None:
        """Stops the loop. A call that is still under way is cut."""
        with self._starting:
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self._loop.stop)
                self._loop = None


def _ended(control: RunControl, collected: Collected, seconds_left: float, silent_until: float) -> Ending | None:
    """Why a call that is still under way is given up; None while it goes on."""
    if control.cancelled:
        return Ending.CANCELLED
    if seconds_left <= 0:
        return Ending.DEADLINE
    if control.has_enough:
        return Ending.ENOUGH
    if collected.is_silent:
        return Ending.SLOW if time.monotonic() > silent_until else None
    if control.account is None or collected.seconds_of_writing < WRITING_SECONDS:
        return None
    written = collected.written_tokens
    rest = (FIRST_SENTENCE_TOKENS - written) * collected.seconds_of_writing / written if written else 0.0
    return Ending.SLOW if rest > seconds_left else None


def _no_turn(control: RunControl) -> RunOver:
    return RunOver(Ending.CANCELLED if control.cancelled else Ending.DEADLINE, "waited for its turn")
