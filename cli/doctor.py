"""`crew doctor`: what works, what does not, and how to mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, notes, print_json

if TYPE_CHECKING:
    from crews.checks.running import Outcome

COLOURS = {"ok": "green", "warning": "yellow", "failed": "red", "off": "dim"}


def register(application: typer.Typer) -> None:
    application.command("doctor", epilog=example("crew doctor"), short_help="Try every configured connection.")(doctor)


def doctor(context: typer.Context, as_json: bool = json_option()) -> None:
    """Try the data folder, the database and every configured connection.

    Exit code 1 when something failed; warnings and parts that are off do not count as failed.
    """
    import sys

    settings = app_of(context).settings
    from crews.checks.running import run_checks
    from crews.runtime.systems import Systems
    from opscrew.clock import utc_now
    from opscrew.metrics import Metrics

    failed = 0
    with Systems(settings, utc_now, Metrics()) as systems:
        if sys.stderr.isatty() and not as_json:
            notes().print("[dim]asking every system …[/dim]")
        for outcome in run_checks(systems):
            failed += outcome.result.level == "failed"
            _show(outcome, as_json=as_json)
    if not as_json:
        console().print(f"\n{_verdict(failed, settings.watches_nothing)}")
    _exit(1 if failed else 0)


def _verdict(failed: int, watches_nothing: bool) -> str:
    from opscrew.settings import NOTHING_CONFIGURED

    if failed:
        return f"{failed} failed."
    return NOTHING_CONFIGURED if watches_nothing else "Everything that is configured works."


def _show(outcome: Outcome, *, as_json: bool) -> None:
    result = outcome.result
    if as_json:
        values = {"check": outcome.name, "level": result.level.value, "text": result.text, "hint": result.hint}
        print_json({**values, "seconds": round(outcome.seconds, 2)})
        return
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 2))
    line.add_column(width=7)
    line.add_column(overflow="fold")
    line.add_row(Text(result.level.value, style=COLOURS[result.level.value]), Text(f"{outcome.name}: {result.text}"))
    if result.hint:
        line.add_row("", Text(result.hint, style="dim"))
    console().print(line)


def _exit(code: int) -> None:
    """Leaves at once: a check that hangs past its deadline still holds a thread, which Python would wait for."""
    import os
    import sys

    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
