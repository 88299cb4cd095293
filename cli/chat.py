"""`crew chat`: a conversation at the terminal. Ctrl-C stops the answer that is being written; twice at the prompt, it
ends the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import app_of
from cli.help import example

if TYPE_CHECKING:
    from cli.chat_commands import Chat
    from crews.runtime.context import CrewContext

PROMPT = "you> "
HISTORY_LINES = 1_000


def register(application: typer.Typer) -> None:
    application.command("chat", epilog=example("crew chat --deadline 2m"))(chat)


def chat(
    context: typer.Context,
    conversation: str = typer.Option(
        "", "--conversation", metavar="ID", help="Go on with this conversation (its id, or a prefix)."
    ),
    deadline: str = typer.Option("60s", "--deadline", metavar="LENGTH", help="Time for each answer: 30s, 2m."),
) -> None:
    """Talk with the crew. /help lists what else can be typed; Ctrl-D or /quit ends it."""
    from contextlib import ExitStack

    from cli.ask import crew_context, known_conversation, parse_seconds
    from cli.chat_commands import Chat
    from cli.stopping import end_at_once_on_signals, interrupts_are_answered, leave

    end_at_once_on_signals()
    app = app_of(context)
    seconds = parse_seconds(deadline)
    with ExitStack() as stack:
        crew = stack.enter_context(crew_context(app))
        writer = None
        if app.settings.model.name != "none":
            from crews.ask.prose import Writer
            from crews.ask.tools import AnswerTools

            tools = stack.enter_context(AnswerTools(crew))
            writer = stack.enter_context(Writer(app.settings, tools=tools))
        talk = Chat(crew, writer, seconds, known_conversation(crew, conversation))
        _recall_history(crew)
        try:
            with interrupts_are_answered():
                _talk(talk)
        except KeyboardInterrupt:
            leave(130)
    if talk.has_left_behind:
        leave(0)


def _talk(talk: Chat) -> None:
    """Reads and answers until the person has had enough."""
    import sys

    if sys.stdin.isatty():
        typer.echo("Ask away. /help lists what else you can type, Ctrl-D ends the chat.")
    interrupted = False
    while True:
        try:
            line = input(PROMPT if sys.stdin.isatty() else "").strip()
            interrupted = False
            if line in ("/quit", "/exit"):
                return
            if line:
                _answer(talk, line)
        except EOFError:
            return
        except KeyboardInterrupt:  # at the prompt, or on the way to it
            if interrupted:
                raise
            interrupted = True
            typer.echo("\n(Ctrl-C again, Ctrl-D or /quit ends the chat.)")


def _answer(talk: Chat, line: str) -> None:
    """One line. Errors are told and the chat goes on: a conversation is worth more than one question."""
    from opscrew.errors import CrewError

    try:
        talk.hear(line)
    except KeyboardInterrupt:
        talk.stop()
        typer.echo("\n(stopped)")
    except CrewError as problem:
        typer.echo(f"{problem.message}. {problem.hint}".strip())


def _recall_history(crew: CrewContext) -> None:
    """What this person asked before comes back with the arrow keys. It is read from the conversations, so that what
    was deleted there, or never stored because it is a secret, is in no second place."""
    import readline
    import sys

    from cli.person import person
    from opscrew.memory.conversations import Conversations

    if not sys.stdin.isatty():
        return
    readline.set_history_length(HISTORY_LINES)
    for question in Conversations(crew.engine, crew.clock).questions(person(), HISTORY_LINES):
        if question.isprintable():
            readline.add_history(question)
