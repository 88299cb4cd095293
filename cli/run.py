"""`crew run`: one crew, once, now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.context import app_of
from cli.help import example
from cli.output import console, json_option, notes, print_json

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from opscrew.model.run import Run
    from opscrew.settings import Settings


def register(application: typer.Typer) -> None:
    application.command("run", epilog=example("crew run ci_watch"), short_help="Run one crew once, now.")(run)


def run(
    context: typer.Context,
    name: str = typer.Argument("", metavar="CREW", help="Which crew."),
    as_list: bool = typer.Option(False, "--list", help="Only list the crews."),
    as_json: bool = json_option(),
) -> None:
    """Run one crew once and show what it did; without a name, list the crews.

    Safe beside a running `crew serve`: both use the same records, and an action is sent by one of them only.
    Exit code 0 also when some system did not answer (the outcome says "partial"), 1 when the crew failed or could
    read nothing at all.
    """
    import sys

    settings = app_of(context).settings
    if as_list or not name:
        _list(settings, as_json=as_json)
        return
    _check(name, settings)
    if sys.stderr.isatty() and not as_json:
        notes().print(f"{name} is at work …", style="dim")  # a first look at many repositories takes minutes
    ended = _run_once(app_of(context).database, settings, name)
    if as_json:
        print_json(ended.model_dump(mode="json") | {"read_nothing": ended.read_nothing})
    else:
        seconds = (ended.ended_at - ended.started_at).total_seconds()
        console().print(f"{ended.crew}: {ended.outcome.value} after {seconds:.1f} s", markup=False)
        console().print(ended.summary, markup=False)
        if ended.unavailable:
            console().print(f"No answer from: {', '.join(ended.unavailable)}", markup=False)
        if ended.read_nothing:
            console().print("Nothing could be read. `crew doctor` says why.", markup=False)
    raise typer.Exit(1 if ended.outcome == "failed" or ended.read_nothing else 0)


def _list(settings: Settings, *, as_json: bool) -> None:
    from crews.runtime.registry import CREWS

    for crew in CREWS:
        missing = [part for part in crew.needs if not getattr(settings, part)]
        if as_json:
            print_json({"crew": crew.name, "title": crew.title, "not_configured": missing})
        else:
            console().print(f"{crew.name:18} {crew.title}", markup=False)
            if missing:
                console().print(f"{'':18} (off: {', '.join(missing)} not configured)", markup=False)


def _check(name: str, settings: Settings) -> None:
    """Raises ``NotFoundError`` for an unknown crew, ``UsageError`` for one that has nothing to look at and for rules
    that mean nothing."""
    import difflib

    from crews.runtime.registry import CREWS, find_crew
    from opscrew.actions.policy import check_settings
    from opscrew.errors import NotFoundError, UsageError

    crew = find_crew(name)
    if crew is None:
        names = [crew.name for crew in CREWS]
        near = difflib.get_close_matches(name, names, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        raise NotFoundError(f"there is no crew {name}{meant}", f"There are: {', '.join(names)}.")
    missing = [part for part in crew.needs if not getattr(settings, part)]
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise UsageError(
            f"{name} has nothing to look at: {' and '.join(missing)} {verb} not configured",
            "Add it to crew.yaml; `crew init --print` shows how.",
        )
    check_settings(settings)


def _run_once(engine: Engine, settings: Settings, name: str) -> Run:
    from crews.runtime.context import CrewContext
    from crews.runtime.registry import find_crew
    from crews.runtime.running import run_crew
    from crews.runtime.systems import Systems
    from opscrew.clock import utc_now
    from opscrew.metrics import Metrics

    crew = find_crew(name)
    assert crew is not None, "_check was called first"
    metrics = Metrics()
    with Systems(settings, utc_now, metrics) as systems:
        context = CrewContext(settings=settings, engine=engine, clock=utc_now, metrics=metrics, systems=systems)
        return run_crew(crew, context)
