"""`crew chat`: a conversation at the terminal. Ctrl-C stops the answer that is being written, not the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import App, app_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.chat_commands import Chat

PROMPT = "you> "
HISTORY_LINES = 1_000


def register(application: typer.Typer) -> None:
    application.command("chat")(chat)


def chat(
    context: typer.Context,
    conversation: str = typer.Option("", "--conversation", help="Go on with this conversation (its id, or a prefix)."),
    deadline: str = typer.Option("60s", "--deadline", help="Time for each answer: 30s, 2m."),
) -> None:
    """Talk with the crew. /help lists what else can be typed; Ctrl-D or /quit ends it."""
    from contextlib import ExitStack

    from cli.ask import crew_context, known_conversation, parse_seconds
    from cli.chat_commands import Chat

    app = app_of(context)
    seconds = parse_seconds(deadline)
    with ExitStack() as stack:
        crew = stack.enter_context(crew_context(app))
        writer = None
        if app.settings.model.name != "none":
            from crews.answer_prose import Writer
            from crews.answer_tools import AnswerTools

            tools = stack.enter_context(AnswerTools(crew))
            writer = stack.enter_context(Writer(app.settings, tools=tools))
        talk = Chat(crew, writer, seconds, known_conversation(crew, conversation))
        stack.callback(_keep_history(app))
        _talk(talk)


def _talk(talk: Chat) -> None:
    """Reads and answers until the person has had enough."""
    import sys

    if sys.stdin.isatty():
        typer.echo("Ask away. /help lists what else you can type, Ctrl-D ends the chat.")
    while True:
        try:
            line = input(PROMPT if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        except KeyboardInterrupt:
            typer.echo("\n(Ctrl-D or /quit ends the chat.)")
            continue
        if line in ("/quit", "/exit"):
            return
        if line:
            _answer(talk, line)


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


def _keep_history(app: App) -> Callable[[], None]:
    """Lines of earlier chats come back with the arrow keys. Returns what writes the file at the end."""
    import readline
    import sys

    file = app.settings.data_dir / "chat_history"
    if not sys.stdin.isatty():
        return lambda: None
    if file.is_file():
        readline.read_history_file(file)
    readline.set_history_length(HISTORY_LINES)

    def write() -> None:
        file.touch(mode=0o600)
        readline.write_history_file(file)

    return write
