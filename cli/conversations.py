"""`crew conversations`: what was asked and answered, and how to delete it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from opscrew.memory.conversations import Conversations

PERSON = typer.Option("", "--person", metavar="NAME", help="Of this person; your own by default.")
EVERYBODY = typer.Option(False, "--all", help="Of everybody, for whoever looks after the crew.")
LIMIT = typer.Option(20, "--limit", metavar="N", min=1, max=10_000, help="How many, the latest first.")


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew conversations --limit 5"),
        help="List, show and delete conversations.",
        invoke_without_command=True,
    )
    group.callback()(conversations)
    group.command("list", epilog=example("crew conversations list --limit 5"))(show_list)
    group.command("show", epilog=example("crew conversations show 3f2a"))(show)
    group.command("delete", epilog=example("crew conversations delete 3f2a"))(delete)
    application.add_typer(group, name="conversations")


def conversations(
    context: typer.Context,
    person: str = PERSON,
    everybody: bool = EVERYBODY,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List conversations (the same as `crew conversations list`)."""
    if context.invoked_subcommand is None:
        show_list(context, person, everybody, limit, as_json)


def show_list(
    context: typer.Context,
    person: str = PERSON,
    everybody: bool = EVERYBODY,
    limit: int = LIMIT,
    as_json: bool = json_option(),
) -> None:
    """List your conversations, the latest first."""
    app = app_of(context)
    found = _conversations(app).list(_whose(person, everybody) or "", limit)
    for conversation, turns in found:
        if as_json:
            values = {"id": conversation.id, "person": conversation.person, "title": conversation.title}
            print_json({**values, "turns": turns, "last_at": conversation.last_at})
        else:
            when = conversation.last_at.astimezone(app.settings.zone)
            typer.echo(f"{conversation.id}  {when:%Y-%m-%d %H:%M}  {turns:>3} turns  {conversation.title[:38]}")
    if not found and not as_json:
        typer.echo('No conversations yet. `crew ask "…"` starts one.')


def show(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="Its id, or the first characters of it."),
    everybody: bool = EVERYBODY,
    as_json: bool = json_option(),
) -> None:
    """Show a whole conversation."""
    app = app_of(context)
    conversation = _conversations(app).get(identity, _whose("", everybody))
    if as_json:
        from dataclasses import asdict

        print_json(asdict(conversation))
        return
    for turn in conversation.turns:
        when = turn.asked_at.astimezone(app.settings.zone)
        typer.echo(f"[{turn.number}] {when:%Y-%m-%d %H:%M}  {turn.question}")
        typer.echo(f"{turn.answer}\n")


def delete(
    context: typer.Context,
    identity: str = typer.Argument(..., metavar="ID", help="Its id, or the first characters of it."),
    everybody: bool = EVERYBODY,
) -> None:
    """Delete a conversation for good, with what was remembered from it."""
    typer.echo(f"deleted {_conversations(app_of(context)).delete(identity, _whose('', everybody))}")


def _whose(name: str, everybody: bool) -> str | None:
    """None for everybody. The account decides, as it does for approvals: nobody reads another's by mistake."""
    from cli.person import person

    return None if everybody else name or person()


def _conversations(app: App) -> Conversations:
    from opscrew.clock import utc_now
    from opscrew.memory.conversations import Conversations

    return Conversations(app.database, utc_now)
