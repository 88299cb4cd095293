"""`crew init`: a commented configuration file to start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.output import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path


def register(application: typer.Typer) -> None:
    application.command("init", short_help="Write a commented crew.yaml.")(init)


def init(
    path: str = typer.Option("crew.yaml", "--path", help="Where to write it."),
    only_print: bool = typer.Option(False, "--print", help="Print it instead of writing a file."),
    force: bool = typer.Option(False, "--force", help="Replace a file that is there."),
    as_json: bool = json_option(),
) -> None:
    """Write a commented crew.yaml with every setting in it."""
    import sys
    from pathlib import Path

    from cli.output import console
    from opscrew.settings import STARTER_FILE

    starter = STARTER_FILE.read_text(encoding="utf-8")
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
    console().print("Next: fill in what you have, put tokens in the environment, and run `crew doctor`.", markup=False)


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
