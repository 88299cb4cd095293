"""`crew version`: what is installed."""

from __future__ import annotations

import typer

from cli.output import json_option, print_json


def register(application: typer.Typer) -> None:
    application.command("version")(show)


def show(as_json: bool = json_option()) -> None:
    """Show what is installed."""
    import platform
    from importlib.metadata import version

    versions = {"crew": version("opscrew"), "python": platform.python_version()}
    if as_json:
        print_json(versions)
    else:
        typer.echo(f"crew {versions['crew']} (Python {versions['python']})")
