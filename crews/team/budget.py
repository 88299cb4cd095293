"""How long and how much one run may think, in place of a number of iterations.

A run has a deadline in wall time, a token budget, and patience: a tool call that brings nothing new costs one. When
any of them ends, the run is asked once more without tools, for which a share of the time is set aside. What a whole
question may cost, over all its runs, is in ``account.py``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from crews.team.account import Account

Monotonic = Callable[[], float]
"""Seconds that only ever grow, for durations; ``time.monotonic`` outside of tests."""


class Ending(StrEnum):
    """Why a run ended. Only ``ANSWERED`` means that the model had all it asked for."""

    ANSWERED = "answered"
    DEADLINE = "deadline"
    TOKENS = "tokens"
    CALLS = "calls"
    SLOW = "too slow"
    ENOUGH = "enough"
    PATIENCE = "patience"
    CANCELLED = "cancelled"
    EMPTY = "empty answer"
    REPETITION = "repeated itself"
    MODEL_OFF = "model off"
    MODEL_UNAVAILABLE = "model unavailable"


class RunOver(Exception):
    """Leaves the agent's loop. Not an error: the budget did its work. ``ending`` says which limit was reached."""

    def __init__(self, ending: Ending, detail: str = "") -> None:
        super().__init__(f"{ending}: {detail}" if detail else str(ending))
        self.ending = ending
        self.detail = detail


@dataclass(frozen=True)
class RunBudget:
    """``deadline_seconds`` is wall time for everything, waiting for the model's turn included.

    ``tokens`` counts prompt and output over all calls: 12,000 is about four calls with a full packet, which a small
    CPU reads in some minutes. ``answer_tokens`` bounds one answer. ``final_share`` of the deadline is kept for the
    last question without tools; its prompt shares its beginning with the first, so the host reads it fast.
    """

    deadline_seconds: float = 60
    tokens: int = 12_000
    answer_tokens: int = 500
    patience: int = 3
    final_share: float = 0.35


class RunControl:
    """The spending of one run. Safe to use from several threads: crewai runs tools of one turn side by side."""

    def __init__(self, budget: RunBudget, clock: Monotonic = time.monotonic, *, account: Account | None = None) -> None:
        self.budget = budget
        self.account = account
        """What the question that this run is a part of may still cost; None where nobody set a limit."""
        self._clock = clock
        self._started = clock()
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._enough = threading.Event()
        self.calls = 0
        self.prompt_tokens = 0
        self.output_tokens = 0
        self.fruitless = 0

    @property
    def seconds(self) -> float:
        """Since the run began."""
        return self._clock() - self._started

    @property
    def seconds_left(self) -> float:
        """Until the deadline; never negative."""
        return max(0.0, self.budget.deadline_seconds - self.seconds)

    @property
    def seconds_left_for_tools(self) -> float:
        """Until the time that is kept for the final answer begins; never negative."""
        return max(0.0, self.budget.deadline_seconds * (1 - self.budget.final_share) - self.seconds)

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set() or (self.account is not None and self.account.cancelled)

    @property
    def has_enough(self) -> bool:
        return self._enough.is_set()

    def stop_writing(self) -> None:
        """What has been written is enough, or will not get better: the call ends with what it has."""
        self._enough.set()

    def cancel(self) -> None:
        """Ends the run from outside (Ctrl-C, a closed connection). A call that is being answered stops within 0.2 s."""
        self._cancelled.set()

    def spend(self, prompt_tokens: int, output_tokens: int) -> None:
        """Counts one finished model call."""
        with self._lock:
            self.calls += 1
            self.prompt_tokens += prompt_tokens
            self.output_tokens += output_tokens

    def note_fruitless(self) -> None:
        """A tool call brought nothing new: repeated, refused, malformed or failed."""
        with self._lock:
            self.fruitless += 1

    def check(self, *, with_tools: bool, next_tokens: int = 0) -> None:
        """Raises ``RunOver`` where another call is not allowed. ``next_tokens`` is the estimate of its prompt."""
        if self.cancelled:
            raise RunOver(Ending.CANCELLED)
        if (self.seconds_left_for_tools if with_tools else self.seconds_left) <= 0:
            raise RunOver(Ending.DEADLINE)
        if self.account is not None:
            self.account.check(next_tokens)
        if not with_tools:
            return  # the last answer is always allowed while there is time
        if self.fruitless >= self.budget.patience:
            raise RunOver(Ending.PATIENCE, f"{self.fruitless} calls brought nothing new")
        if self.prompt_tokens + self.output_tokens + next_tokens > self.budget.tokens:
            raise RunOver(Ending.TOKENS, f"{self.budget.tokens} tokens are spent")
