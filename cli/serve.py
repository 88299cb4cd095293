"""`crew serve`: the daemon."""

from __future__ import annotations

import typer

from cli.context import app_of
from cli.help import example


def register(application: typer.Typer) -> None:
    application.command("serve", epilog=example("crew serve"), short_help="Run the crews around the clock.")(serve)


def serve(context: typer.Context) -> None:
    """Run the crews on schedule, around the clock, until stopped (Ctrl-C or SIGTERM)."""
    settings = app_of(context).settings
    from cli.output import notes
    from opscrew.settings import HOW_TO_CONFIGURE, NOTHING_CONFIGURED
    from server import daemon

    def ready(url: str) -> None:
        if settings.log_format == "json":
            return  # whoever reads the log by program wants nothing but objects, and gets the address as one
        if settings.watches_nothing:
            notes().print(f"{NOTHING_CONFIGURED} {HOW_TO_CONFIGURE}", style="bold red", markup=False)
        notes().print(f"crew serves at {url} (Ctrl-C stops it)", soft_wrap=True)

    raise typer.Exit(daemon.serve(settings, ready=ready))
