"""`crew incidents`: drafts of what is over; a person reads one, edits it, and puts it into knowledge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import App, app_of
from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from opscrew.alerts.incident_store import IncidentStore

LIMIT = typer.Option(50, "--limit", metavar="N", min=1, max=10_000, help="At most so many.")
ID = typer.Argument(..., metavar="ID", help="An incident's id, or its first characters.")


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew incidents"), help="List, show and keep incident reports.", invoke_without_command=True
    )
    group.callback()(incidents)
    group.command("list", epilog=example("crew incidents list"))(show_list)
    group.command("show", epilog=example("crew incidents show 3f2a9c"))(show)
    group.command("write", epilog=example("crew incidents write 3f2a9c --file edited.md"))(write)
    application.add_typer(group, name="incidents")


def incidents(context: typer.Context, limit: int = LIMIT, as_json: bool = json_option()) -> None:
    """List incidents (the same as `crew incidents list`)."""
    if context.invoked_subcommand is None:
        show_list(context, limit, as_json)


def show_list(context: typer.Context, limit: int = LIMIT, as_json: bool = json_option()) -> None:
    """List incidents, the latest first."""
    from dataclasses import asdict

    from cli.text import when

    app = app_of(context)
    found = _store(app).list(limit)
    for one in found:
        if as_json:
            print_json({name: value for name, value in asdict(one).items() if name != "text"})
        else:
            typer.echo(f"{one.id}  {when(one.started_at, app.quiet_settings.zone)}  {one.severity:<8}  {one.state}")
            typer.echo(f"              {one.title[:64]}")
    if not found and not as_json:
        typer.echo("No incidents. One is drafted when a group of alerts is over.")


def show(context: typer.Context, identity: str = ID, as_json: bool = json_option()) -> None:
    """Print one incident as Markdown."""
    from dataclasses import asdict

    incident = _store(app_of(context)).get(identity)
    if as_json:
        print_json(asdict(incident))
    else:
        typer.echo(incident.text)


def write(
    context: typer.Context,
    identity: str = ID,
    file: str = typer.Option(
        "", "--file", metavar="FILE", help="Markdown that a person edited, in place of the draft."
    ),
    as_json: bool = json_option(),
) -> None:
    """Put an incident into knowledge, where it is found when something similar happens."""
    from cli.person import person

    document = _store(app_of(context)).write(identity, person(), _text_of(file))
    if as_json:
        print_json({"document": document})
    else:
        typer.echo(f"Kept as {document}; `crew knowledge search` finds it.")


def _text_of(file: str) -> str:
    if not file:
        return ""
    from pathlib import Path

    from opscrew.memory.documents import read_file

    return read_file(Path(file), "incident/edited", "incident").text


def _store(app: App) -> IncidentStore:
    from opscrew.alerts.incident_store import IncidentStore
    from opscrew.clock import utc_now

    return IncidentStore(app.database, utc_now)
