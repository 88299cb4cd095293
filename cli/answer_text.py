"""How an answer reaches a terminal: facts and the answer over them at once, what a model adds as it is checked, then
what to know beside it."""

from __future__ import annotations

from datetime import tzinfo
from typing import TYPE_CHECKING

import typer

from cli.text import folded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crews.ask.answer import Answer, Event
    from opscrew.answer.packet import Fact


class AnswerText:
    """Listens to the events of one answer. Control characters of logs are gone before it hears of them."""

    def __init__(self, zone: tzinfo, most_facts: int) -> None:
        self._zone = zone
        self._most = most_facts
        self._has_facts = False

    def heard(self, event: Event) -> None:
        if event.kind == "facts":
            self._has_facts = self._has_facts or bool(event.facts)
            self._facts([fact for fact in event.facts if fact.id not in event.told])
            if event.told:
                typer.echo(f"… and {len(event.told)} fact{'' if len(event.told) == 1 else 's'} that I told before.")
        elif event.kind == "answer":
            if self._has_facts:
                typer.echo("")
            typer.echo(folded(event.text, indent=0))
        elif event.kind == "prose":
            typer.echo(folded(event.text, indent=0))

    def end(self, answer: Answer) -> None:
        """What was not shown by events: notes, and how the model did."""
        for note in answer.notes:
            typer.echo(folded(note, indent=0))
        if answer.model_note:
            typer.echo(typer.style(folded(answer.model_note, indent=0), dim=True))
        if answer.dropped:
            count = answer.dropped
            sentences = "1 sentence" if count == 1 else f"{count} sentences"
            typer.echo(typer.style(f"({sentences} of the model left out: not borne out, or nothing new.)", dim=True))
        typer.echo(typer.style(f"({answer.seconds:.1f} s, conversation {answer.conversation})", dim=True))

    def _facts(self, facts: Sequence[Fact]) -> None:
        for fact in facts[: self._most]:
            print_fact(fact, self._zone)
        if len(facts) > self._most:
            typer.echo(f"… and {len(facts) - self._most} more facts.")


def print_fact(fact: Fact, zone: tzinfo) -> None:
    """Its id, time and source in one line, the text below."""
    head = f"{fact.id:<4}{fact.time.astimezone(zone):%Y-%m-%d %H:%M}  {fact.source}"
    typer.echo(typer.style(head[:80], bold=True))
    typer.echo(folded(fact.text, indent=4))
