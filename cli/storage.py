"""`crew storage`: how full volumes are, and when they will be full."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, notes, print_json

if TYPE_CHECKING:
    from datetime import timedelta

    from crews.storage_growth.job import Judged
    from opscrew.storage.coverage import Unmeasured
    from opscrew.storage.forecast import Forecast
    from opscrew.storage.series import Series

group = typer.Typer(epilog=example("crew storage check"), help="Look at volumes and look ahead.", no_args_is_help=True)


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="storage")


@group.command("check", epilog=example("crew storage check"))
def check(
    context: typer.Context,
    cluster: str = typer.Option(
        "", "--context", metavar="CLUSTER", help="Cluster by its name in crew.yaml; by default every one."
    ),
    as_json: bool = json_option(),
) -> None:
    """Show every volume of the configured clusters, how full it is and what to do about it, the fullest first.

    Only looks: findings and proposals are made by `crew run storage_growth`. Exit code 1 when a cluster or the
    metrics store did not answer.
    """
    from crews.storage_growth.preview import check_storage

    app = app_of(context)
    problems: list[Exception] = []
    for found in check_storage(app.settings, app.database, cluster):
        if found.problem is not None:
            # The other clusters are still shown; the command fails at the end.
            problems.append(found.problem)
            continue
        for judged in found.judged:
            _show_volume(found.cluster, judged, as_json=as_json)
        for one in found.unmeasured:
            _show_unmeasured(found.cluster, one, as_json=as_json)
        if not as_json and not found.judged and not found.unmeasured:
            console().print(f"{found.cluster}: no volumes", markup=False)
        if found.partial:
            notes().print(f"crew: {found.cluster}: the metrics store answered in part", markup=False)
    if problems:
        raise problems[0]


@group.command("forecast", epilog=example("crew storage forecast growth.jsonl --horizon 14d"))
def forecast_files(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="JSON lines of growth series; - for stdin."),
    horizon: str = typer.Option(
        "14d", "--horizon", metavar="LENGTH", help="How far to look ahead, such as 14d or 36h."
    ),
    as_json: bool = json_option(),
) -> None:
    """Say of each series whether it will be full.

    Each line of a FILE is {"id", "values": [used bytes per step, oldest first], "step": "1d", "capacity": bytes}.
    Values that are null, NaN or a single zero between others are gaps: they are bridged, and it is said how many.
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
                _show(series, series.forecast(ahead), ahead, as_json=as_json)
            except BadSeriesError as problem:
                broken = True
                notes().print(f"crew: {name}:{number}: {problem}", markup=False, soft_wrap=True)
    raise typer.Exit(1 if broken else 0)


def _show(series: Series, told: Forecast, ahead: timedelta, *, as_json: bool) -> None:
    from opscrew.storage.forecast import chance, day

    if as_json:
        print_json(
            {
                "id": series.id,
                "fills": told.fills,
                "probability": told.probability,
                "days_to_full": list(told.days_to_full),
            }
            | ({"bridged": series.past.count, "missing_at_end": series.past.stale} if series.past.note else {})
        )
        return
    word = "FILLS" if told.fills else "holds"
    days = ahead.total_seconds() / 86400
    console().print(f"{word}  {series.id}: {chance(told.probability)} within {days:g} days", markup=False)
    early, middle, late = (day(one) for one in told.days_to_full)
    console().print(f"       days to full: early {early}, middle {middle}, late {late}", markup=False)
    if series.past.note:
        console().print(f"       {series.past.note}", markup=False)


def _show_volume(cluster: str, judged: Judged, *, as_json: bool) -> None:
    from crews.storage_growth.preview import as_row, status_word

    if as_json:
        print_json(as_row(cluster, judged))
        return
    volume, advice = judged.volume, judged.advice
    claim, gib = volume.claim, 2**30
    inodes = f", {volume.inodes_share:.0%} of the inodes" if volume.inodes else ""
    size = f"{volume.used / gib:.1f} of {volume.usable / gib:.1f} GiB used ({volume.used_share:.0%}){inodes}"
    owner = f" of {claim.workload}" if claim.workload else ""
    out = console()
    out.print(f"{status_word(judged)}  {cluster} {claim.namespace}/{claim.name}{owner}: {size}", markup=False)
    if judged.trouble is not None:
        out.print(f"    {judged.trouble.sentence}", markup=False)
    if volume.past.bridged:
        out.print(
            f"    {volume.past.bridged} of {len(volume.past.values)} earlier values are missing and were bridged",
            markup=False,
        )
    cost = f" (about {advice.cost} USD more a month)" if advice.cost is not None else ""
    to_size = f" to {advice.to_gib} GiB{cost}" if advice.to_gib else ""
    out.print(f"    {advice.step.value.replace('_', ' ')}{to_size}: {advice.reason}", markup=False)


def _show_unmeasured(cluster: str, one: Unmeasured, *, as_json: bool) -> None:
    claim = one.claim
    if as_json:
        row = {"cluster": cluster, "namespace": claim.namespace, "name": claim.name, "status": "not measured"}
        print_json(row | {"reason": one.why})
        return
    console().print(f"?     {cluster} {claim.namespace}/{claim.name}: not measured: {one.why}", markup=False)
