"""`crew init`: a commented configuration file to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.help import example
from cli.output import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


def register(application: typer.Typer) -> None:
    application.command(
        "init", epilog=example("crew init --workspace acme"), short_help="Write a commented crew.yaml."
    )(init)


def init(
    workspace: str = typer.Option("", "--workspace", metavar="NAME", help="Your Bitbucket workspace, filled in."),
    path: str = typer.Option("crew.yaml", "--path", metavar="FILE", help="Where to write it."),
    only_print: bool = typer.Option(False, "--print", help="Print it instead of writing a file."),
    force: bool = typer.Option(False, "--force", help="Replace a file that is there."),
    as_json: bool = json_option(),
) -> None:
    """Write a commented crew.yaml with every setting in it.

    Secrets do not belong in that file: name a file that holds the token in CREW_BITBUCKET__TOKEN_FILE.
    """
    import sys
    from pathlib import Path

    from cli.output import console
    from opscrew.settings import STARTER_FILE

    starter = _filled_in(STARTER_FILE.read_text(encoding="utf-8"), workspace)
    if only_print and as_json:
        print_json({"text": starter})
        return
    if only_print:
        sys.stdout.write(starter)
        sys.stdout.flush()
        return
    file = Path(path)
    if file.is_dir():
        file = file / "crew.yaml"
    _write(file, starter, force=force)
    if as_json:
        print_json({"path": str(file)})
        return
    console().print(f"Wrote {file}.", markup=False, soft_wrap=True)
    first = "fill in what else you have" if workspace else "fill in what you have"
    console().print(f"Next: {first}, put tokens in the environment, and run `crew doctor`.", markup=False)


def _filled_in(starter: str, workspace: str) -> str:
    """The starter with the Bitbucket section switched on for ``workspace``; unchanged where none is given."""
    if not workspace:
        return starter
    from opscrew.errors import UsageError
    from opscrew.web_address import WORKSPACE

    if not WORKSPACE.fullmatch(workspace):
        raise UsageError(f"{workspace} is no workspace", "Write the name that stands in bitbucket.org/<workspace>.")
    return starter.replace("#bitbucket:\n#  workspace: acme\n", f'bitbucket:\n  workspace: "{workspace}"\n')


def _write(file: Path, text: str, *, force: bool) -> None:
    """Whole or not at all, and never over a file that is there unless told to."""
    import os

    from opscrew.errors import CrewError, UsageError

    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        if not force and (file.exists() or file.is_symlink()):
            raise UsageError(f"{file} is there already", "Choose another --path, or add --force to replace it.")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.chmod(0o644)  # it holds no secrets, and the daemon may run as another account
        unfinished.replace(file)
    except OSError as problem:
        unfinished.unlink(missing_ok=True)
        raise CrewError(f"cannot write {file}: {problem.strerror}", "Choose another folder with --path.") from problem
