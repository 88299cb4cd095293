"""`crew storage`: how full volumes are, and when they will be full."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from cli.output import console, json_option, notes, print_json

if TYPE_CHECKING:
    from datetime import timedelta

group = typer.Typer(help="Look at volumes and look ahead.", no_args_is_help=True)


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="storage")


@group.command("forecast")
def forecast_files(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="JSON lines of growth series; - for stdin."),
    horizon: str = typer.Option("14d", "--horizon", help="How far to look ahead, such as 14d or 36h."),
    as_json: bool = json_option(),
) -> None:
    """Say of each series whether it will be full.

    Each line of a FILE is {"id", "values": [used bytes per step, oldest first], "step": "1d", "capacity": bytes}.
    A line that cannot be used is named on standard error, the others are still done, and the exit code is 1.
    """
    from cli.lines import read_lines
    from opscrew.storage.series import BadSeriesError, parse_duration, read_series

    ahead = parse_duration(horizon, "--horizon")
    broken = False
    for name in files:
        for number, line in read_lines(name):
            try:
                series = read_series(line)
                _show(series.id, series.forecast(ahead), ahead, as_json=as_json)
            except BadSeriesError as problem:
                broken = True
                notes().print(f"crew: {name}:{number}: {problem}", markup=False)
    raise typer.Exit(1 if broken else 0)


def _show(name: str, told: Any, ahead: timedelta, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "id": name,
                "fills": told.fills,
                "probability": told.probability,
                "days_to_full": list(told.days_to_full),
            }
        )
        return
    early, middle, late = (f"{day:.0f}" if day is not None else "never" for day in told.days_to_full)
    word = "FILLS" if told.fills else "holds"
    days = ahead.total_seconds() / 86400
    console().print(
        f"{word}  {name}: {told.probability:.0%} within {days:g} days; days to full {early} / {middle} / {late} "
        "(early / middle / late)",
        markup=False,
    )
