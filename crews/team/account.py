"""What one question may cost the model, over all its runs: choosing its meaning, answering it, asking for a tool.

Every call is booked before it is made, so the limits hold whatever the model or its host does: a call that breaks off
has been read all the same. The prompt is booked by our own count and corrected by the host's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from crews.team.budget import Ending, RunOver


class Account:
    """Safe to use from several threads. ``count`` gives the tokens of a text; ``ratio`` says how many the host counts
    for one of these, as far as that is known from earlier questions."""

    def __init__(self, prompt_tokens: int, calls: int, count: Callable[[str], int], ratio: float = 1.0) -> None:
        self.count = count
        self._limit = prompt_tokens
        self._calls = calls
        self._ratio = max(1.0, ratio)
        self._lock = threading.Lock()
        self._cancelled = threading.Event()
        self._booked = 0
        self._made = 0

    @property
    def calls_left(self) -> int:
        with self._lock:
            return self._calls - self._made

    @property
    def tokens_left(self) -> int:
        """For the next prompt, as ``count`` counts."""
        with self._lock:
            return max(0, int((self._limit - self._booked) / self._ratio))

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Ends the run at hand and keeps any later one of this question from beginning."""
        self._cancelled.set()

    def check(self, next_tokens: int) -> None:
        """Raises ``RunOver`` where a call with a prompt of so many tokens is not allowed."""
        if self.calls_left <= 0:
            raise RunOver(Ending.CALLS, f"{self._calls} calls are made")
        if next_tokens > self.tokens_left:
            raise RunOver(Ending.TOKENS, f"{self.tokens_left} of {self._limit} prompt tokens are left")

    @property
    def ratio(self) -> float:
        """Tokens of the host for one of ours; never less than 1."""
        with self._lock:
            return self._ratio

    def book(self, tokens: int) -> int:
        """Takes a call of so many tokens off; gives what to hand to ``correct``."""
        with self._lock:
            booked = int(tokens * self._ratio)
            self._made += 1
            self._booked += booked
            return booked

    def correct(self, booked: int, counted: int) -> None:
        """The host has counted the prompt that was booked. Its count is taken also where it is more than the limit."""
        with self._lock:
            self._booked += counted - booked
            if booked:
                self._ratio = max(self._ratio, self._ratio * counted / booked)
