"""`crew measures`: every number that there is, what it means, and any of them asked for."""

from __future__ import annotations

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, print_json

group = typer.Typer(
    epilog=example("crew measures query runs failures --by repository --since 7d"),
    help="Ask for numbers, and what they mean.",
    no_args_is_help=True,
)


def register(application: typer.Typer) -> None:
    application.add_typer(group, name="measures")


@group.command("list", epilog=example("crew measures list"))
def list_measures(as_json: bool = json_option()) -> None:
    """List every number by its name, with what it means."""
    from cli.text import folded
    from opscrew.measures.catalogue import catalogue

    for name, measure in catalogue().items():
        if as_json:
            print_json({"name": name, **measure.model_dump(include={"title", "definition", "unit", "good"})})
        else:
            typer.echo(f"{name}: {measure.title}")
            typer.echo(folded(measure.definition, indent=4))


@group.command("show", epilog=example("crew measures show queue_time"))
def show(
    name: str = typer.Argument(..., metavar="NAME", help="A measure's name, as `crew measures list` gives it."),
    as_json: bool = json_option(),
) -> None:
    """Show one number: its unit, how it may be added up, and by what it may be grouped."""
    from cli.text import folded
    from opscrew.errors import NotFoundError
    from opscrew.measures.catalogue import catalogue, near

    measure = catalogue().get(name)
    if measure is None:
        raise NotFoundError(
            f"there is no measure {name!r}", near(name, catalogue()) or "`crew measures list` shows all."
        )
    if as_json:
        wanted = {"title", "definition", "unit", "how", "dimensions", "good", "words", "derived"}
        print_json({"name": name, **measure.model_dump(include=wanted)})
        return
    console().print(f"{name}: {measure.title}", markup=False)
    typer.echo(folded(measure.definition))
    typer.echo(f"  unit: {measure.unit}{', derived' if measure.derived else ''}")
    typer.echo(folded(f"as: {', '.join(measure.how)}"))
    typer.echo(folded(f"by: {', '.join(measure.dimensions)}"))
    typer.echo(folded(f"also called: {', '.join(measure.words)}"))


@group.command("query", epilog=example("crew measures query step_duration:p95 --by step --where repository=shop"))
def query(
    context: typer.Context,
    measures: list[str] = typer.Argument(
        ..., metavar="NAME...", help="Measures, each with how it is added up if need be: pipeline_duration:p95."
    ),
    by: list[str] = typer.Option([], "--by", metavar="DIMENSION", help="Group by this, such as day; repeatable."),
    where: list[str] = typer.Option(
        [],
        "--where",
        metavar="DIMENSION=VALUE",
        help="Only rows with this value; the same dimension twice means either.",
    ),
    day: str = typer.Option("", "--day", metavar="DAY", help="One day: today, yesterday or 2026-11-02."),
    since: str = typer.Option("", "--since", metavar="TIME", help="From this time on: 7d, 2026-11-02; else today."),
    until: str = typer.Option(
        "", "--until", metavar="TIME", help="Before this time, or to the end of this day; else now."
    ),
    compare: bool = typer.Option(False, "--compare", help="Beside it the same length of time before."),
    order: str = typer.Option("", "--order", metavar="NAME", help="Order by this; -NAME for the largest first."),
    limit: int = typer.Option(0, "--limit", metavar="N", min=0, help="At most so many rows; totals are of all."),
    as_json: bool = json_option(),
) -> None:
    """Ask for numbers, and see of how much of the whole they tell."""
    from cli.measure_tables import answer
    from cli.spans import span_before, span_of
    from opscrew.clock import utc_now
    from opscrew.measures.query import Query, asked

    app = app_of(context)
    zone, now = app.quiet_settings.zone, utc_now()
    span = span_of(day, since, until, now, zone)
    wanted = Query(
        tuple(measures),
        span,
        tuple(by),
        _where(where),
        span_before(span, zone) if compare else None,
        order,
        limit or None,
    )
    asked(wanted)  # what is written wrongly is told before the database is opened
    answer(app.database, wanted, now, zone, as_json=as_json)


def _where(given: list[str]) -> dict[str, tuple[str, ...]]:
    from opscrew.errors import UsageError

    found: dict[str, tuple[str, ...]] = {}
    for one in given:
        name, mark, value = one.partition("=")
        if not mark:
            raise UsageError(f"--where {one}: no value is given", "Write it as branch=main.")
        found[name.strip()] = (*found.get(name.strip(), ()), value)
    return found
