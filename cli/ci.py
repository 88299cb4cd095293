"""`crew ci`: judge the log of a failed pipeline step, and count how builds went, without asking Bitbucket."""

from __future__ import annotations

import typer

from cli import ci_classify, ci_explain, ci_stats
from cli.help import example


def register(application: typer.Typer) -> None:
    group = typer.Typer(
        epilog=example("crew ci classify build.log"),
        help="Judge failed steps, count how builds went.",
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
    group.command(
        "stats",
        epilog=example("crew ci stats --day yesterday --by step", "crew ci stats --since 7d --repo shop --compare"),
        short_help="Show how builds went in a day or a time.",
    )(ci_stats.stats)
    application.add_typer(group, name="ci")
