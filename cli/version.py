"""`crew version`: what is installed."""

from __future__ import annotations

import typer

from cli.help import example
from cli.output import json_option, print_json


def register(application: typer.Typer) -> None:
    application.command("version", epilog=example("crew version --json"))(show)


def show_version(wanted: bool) -> None:
    """What ``crew --version`` prints: the same as ``crew version``."""
    if wanted:
        show(as_json=False)
        raise typer.Exit


def show(as_json: bool = json_option()) -> None:
    """Show what is installed."""
    import platform
    from importlib.metadata import version

    versions = {"crew": version("opscrew"), "python": platform.python_version()}
    if as_json:
        print_json(versions)
    else:
        typer.echo(f"crew {versions['crew']} (Python {versions['python']})")
