"""`crew ask`: one question, facts first, prose after them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from crews.ask.answer import Answer, Event
    from crews.runtime.context import CrewContext
    from opscrew.memory.turns import Conversation

FACTS_SHOWN = 8
LONGEST_DEADLINE = 3_600


def register(application: typer.Typer) -> None:
    application.command(
        "ask",
        epilog=example("crew ask 'what failed since yesterday evening?'"),
        short_help="Ask a question: facts first, then prose.",
    )(ask)


def ask(
    context: typer.Context,
    question: list[str] = typer.Argument(..., metavar="QUESTION", help="What you want to know, in your own words."),
    conversation: str = typer.Option(
        "", "--conversation", metavar="ID", help="Go on with this conversation (its id, or a prefix)."
    ),
    facts: bool = typer.Option(False, "--facts", help="Facts alone; no model is called."),
    deadline: str = typer.Option("60s", "--deadline", metavar="LENGTH", help="Time for the whole answer: 30s, 2m."),
    as_json: bool = json_option(),
) -> None:
    """Ask a question about pipelines, clusters, storage, alerts or costs.

    Facts come first, each with its source; then an answer in prose where a model is configured.
    Exit code 0 also when some system did not answer: the answer names it.
    """
    from cli.stopping import end_at_once_on_signals
    from opscrew.errors import UsageError

    end_at_once_on_signals()
    text = " ".join(question).strip()
    if not text:
        raise UsageError("there is no question", 'crew ask "what failed since yesterday evening?"')
    seconds = parse_seconds(deadline)
    answer = _answer(app_of(context), text, conversation, facts_only=facts, seconds=seconds, as_json=as_json)
    if as_json:
        print_json(answer.as_json())


def _answer(app: App, text: str, conversation: str, *, facts_only: bool, seconds: float, as_json: bool) -> Answer:
    from contextlib import ExitStack

    from cli.answer_text import AnswerText
    from cli.person import person
    from crews.ask.job import Question, answer_question

    with ExitStack() as stack:
        crew = stack.enter_context(crew_context(app))
        writer = None
        if not facts_only and app.settings.model.name != "none":
            from crews.ask.prose import Writer
            from crews.ask.tools import AnswerTools

            tools = stack.enter_context(AnswerTools(crew))
            writer = stack.enter_context(Writer(app.settings, tools=tools))
        question = Question(text, known_conversation(crew, conversation), person(), facts_only, seconds)
        told = AnswerText(app.settings.zone, most_facts=FACTS_SHOWN)
        answer = answer_question(crew, question, on_event=_silent if as_json else told.heard, writer=writer)
    if not as_json:
        told.end(answer)
    return answer


def parse_seconds(text: str) -> float:
    """``45s`` or ``2m``, up to an hour. Raises ``UsageError``."""
    import re

    from opscrew.errors import UsageError

    match = re.fullmatch(r"(\d{1,4})\s*(s|m|min)?", text.strip().lower())
    seconds = int(match[1]) * (60 if match[2] in ("m", "min") else 1) if match else 0
    if not 0 < seconds <= LONGEST_DEADLINE:
        raise UsageError(f"--deadline {text!r} is not a length of time", "Write 45s or 2m; at most an hour.")
    return float(seconds)


@contextmanager
def crew_context(app: App) -> Iterator[CrewContext]:
    """A crew's context over the settings of this command; its clients are closed at the end."""
    from crews.runtime.context import CrewContext
    from crews.runtime.systems import Systems
    from opscrew.clock import utc_now
    from opscrew.metrics import Metrics

    metrics = Metrics()
    with Systems(app.settings, utc_now, metrics) as systems:
        yield CrewContext(settings=app.settings, engine=app.database, clock=utc_now, metrics=metrics, systems=systems)


def known_conversation(crew: CrewContext, prefix: str) -> Conversation | None:
    """The conversation to go on with, or None for a new one. ``CrewError`` where this person has none of that id."""
    from cli.person import person
    from opscrew.memory.conversations import Conversations

    return Conversations(crew.engine, crew.clock).get(prefix, person()) if prefix else None


def _silent(event: Event) -> None:
    """With --json there is one object at the end, and nothing before it."""
