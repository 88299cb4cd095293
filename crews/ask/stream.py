"""A model's prose as it comes: whole sentences are checked and let through, the rest is held back or dropped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from crews.ask.answer import Event, OnEvent
from crews.ask.tools import fact_of
from crews.team.toolbox import ToolCall
from opscrew.answer.claims.check import sentences
from opscrew.answer.packet import Fact, shortened
from opscrew.answer.prose.gate import ProseGate
from opscrew.clock import Clock
from opscrew.model.citations import without_citations

MOST_SENTENCES = 3
"""Of the model behind an answer; it is stopped when it has so many."""

MOST_LOST = 3
"""Sentences in a row that were dropped: what such a model still has to say is not waited for."""


class CheckedStream:
    """Takes pieces of prose as they come, and lets whole sentences through that pass the gate."""

    def __init__(self, gate: ProseGate, on_event: OnEvent, clock: Clock) -> None:
        self._gate, self._on_event, self._clock = gate, on_event, clock
        self._heard = ""
        self._done = 0
        self._lost = 0
        self.when_done: Callable[[], None] = lambda: None
        self.kept: list[str] = []
        self.dropped = 0
        self.learnt: list[Fact] = []

    def learn(self, call: ToolCall) -> None:
        """What a tool brought may be said from now on. It is checked against in full and shown in one line."""
        if call.failed:
            return
        fact = fact_of(call, self._clock())
        self._gate.learn(fact)
        shown = replace(fact, text=shortened(fact.text))
        self.learnt.append(shown)
        self._on_event(Event("facts", facts=(shown,)))

    def hear(self, piece: str) -> None:
        """All but the last sentence are whole: another one has begun."""
        self._heard += piece
        found = sentences(self._heard)
        for sentence in found[self._done : -1]:
            self._take(sentence)
        self._done = max(self._done, len(found) - 1)

    def end(self, text: str, *, is_cut: bool) -> None:
        """The rest. ``text`` is the whole where nothing was streamed. The last sentence of a cut one is none."""
        rest = sentences(self._heard or text)[self._done :]
        for sentence in rest[:-1] if is_cut and rest and not _is_whole(rest[-1]) else rest:
            self._take(sentence)

    def _take(self, sentence: str) -> None:
        if len(self.kept) >= MOST_SENTENCES or self._lost >= MOST_LOST:
            return
        passed = self._gate.take(sentence)
        if passed.problem:
            self.dropped += 1
            self._lost += 1
            self._on_event(Event("dropped", f"{passed.text} ({passed.problem})"))
        else:
            self.kept.append(passed.text)
            self._lost = 0
            self._on_event(Event("prose", passed.text))
        if len(self.kept) >= MOST_SENTENCES or self._lost >= MOST_LOST:
            self.when_done()


def _is_whole(sentence: str) -> bool:
    return without_citations(sentence).rstrip(" \"')*_`").endswith((".", "!", "?"))
