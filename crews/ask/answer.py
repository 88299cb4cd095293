"""What an answer consists of, and the events by which it becomes known piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opscrew.actions.records import ActionRecord
from opscrew.answer.packet import Fact


@dataclass(frozen=True)
class Event:
    """``kind`` is understood, facts, answer (what code wrote), prose (one checked sentence of the model, which stands
    behind the answer) or dropped (one that was not shown)."""

    kind: str
    text: str = ""
    facts: tuple[Fact, ...] = ()
    told: frozenset[str] = frozenset()
    """Ids of those facts that the conversation has told before."""


OnEvent = Callable[[Event], None]


@dataclass(frozen=True)
class Usage:
    """``model`` is "none" where no model took part."""

    model: str = "none"
    calls: int = 0
    prompt_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True)
class Answer:
    """``text`` is what code wrote, then what the model may add (``prose``), then ``notes``: what a person should know
    beside it. ``kept`` and ``dropped`` count sentences of the model. ``unavailable`` are systems that did not answer,
    ``not_measured`` what those that did answer do not hold."""

    text: str
    facts: tuple[Fact, ...]
    conversation: str
    intent: str
    subject: str = ""
    prose: tuple[str, ...] = ()
    kept: int = 0
    dropped: int = 0
    actions: tuple[ActionRecord, ...] = ()
    usage: Usage = Usage()
    seconds: float = 0.0
    seconds_to_facts: float = 0.0
    unavailable: tuple[str, ...] = ()
    not_measured: tuple[str, ...] = ()
    notes: Sequence[str] = field(default_factory=tuple)
    model_note: str = ""

    def as_json(self) -> dict[str, Any]:
        """The shape that scripts rely on."""
        return {
            "answer": self.text,
            "facts": [
                {"id": one.id, "source": one.source, "time": one.time.isoformat(), "text": one.text}
                for one in self.facts
            ],
            "claims": {"kept": self.kept, "dropped": self.dropped},
            "actions": [_action(record) for record in self.actions],
            "usage": {
                "model": self.usage.model,
                "calls": self.usage.calls,
                "prompt_tokens": self.usage.prompt_tokens,
                "output_tokens": self.usage.output_tokens,
            },
            "seconds": round(self.seconds, 3),
            "unavailable": list(self.unavailable),
            "not_measured": list(self.not_measured),
            "conversation": self.conversation,
        }


def _action(record: ActionRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.action.kind,
        "target": str(record.action.target),
        "state": record.state.value,
        "note": record.note,
    }
