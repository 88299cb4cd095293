"""`crew ci`: judge the log of a failed pipeline step, without asking Bitbucket."""

from __future__ import annotations

import typer

from cli import ci_classify, ci_explain
from cli.help import example


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew ci classify build.log"),
        help="Judge the log of a failed pipeline step.",
        no_args_is_help=True,
    )
    group.command(
        "classify", epilog=example("crew ci classify build.log"), short_help="Tell whether a re-run may pass, and why."
    )(ci_classify.classify)
    group.command(
        "explain",
        epilog=example("crew ci explain build.log --passing last-good.log"),
        short_help="Show the lines that explain a failure.",
    )(ci_explain.explain_logs)
    application.add_typer(group, name="ci")
