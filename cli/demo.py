"""`crew demo`: one hour of work against a sandbox, in about half a minute, leaving nothing behind."""

from __future__ import annotations

import typer

from cli.help import example
from cli.output import json_option


def register(application: typer.Typer) -> None:
    application.command("demo", epilog=example("crew demo --seed 8"))(demo)


def demo(
    seed: int = typer.Option(7, "--seed", metavar="N", help="Another seed gives other names and commits."),
    as_json: bool = json_option(),
) -> None:
    """Show the main job against a sandbox.

    A blip is re-run, a real failure explained, an outage collapsed, an approval waits, the audit is verified.
    """
    import signal
    import sys
    import tempfile
    from pathlib import Path

    from cli.demo_hour import play_hour
    from cli.demo_story import JsonStory, TextStory

    # Ended from outside (a time limit, a closing terminal), it leaves nothing behind either.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="crew-demo-") as folder:
        story = JsonStory() if as_json else TextStory()
        worked = play_hour(Path(folder), seed, story)
    raise typer.Exit(0 if worked else 1)
