"""`crew ci`: judge the log of a failed pipeline step, without asking Bitbucket."""

from __future__ import annotations

import typer

from cli import ci_classify, ci_explain


def register(application: typer.Typer) -> None:
    group = typer.Typer(help="Judge the log of a failed pipeline step.", no_args_is_help=True)
    group.command("classify")(ci_classify.classify)
    group.command("explain")(ci_explain.explain_logs)
    application.add_typer(group, name="ci")
