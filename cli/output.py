"""How commands print: JSON alone on standard output with `--json`, readable text at 80 columns otherwise.

Progress and notes go to standard error, so that standard output can always be piped.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console


def json_option() -> Any:
    """The `--json` option, worded the same everywhere."""
    return typer.Option(False, "--json", help="Print JSON, one object a line.")


def print_json(value: Any) -> None:
    """One JSON object on one line, times in ISO 8601."""
    import orjson

    sys.stdout.write(orjson.dumps(value, default=str).decode() + "\n")
    sys.stdout.flush()


def console() -> Console:
    """For text: colours on a terminal only, wrapped at the terminal's width, at 80 columns elsewhere."""
    from rich.console import Console

    class Screen(Console):
        def on_broken_pipe(self) -> None:
            """A reader that has had enough (head, less) is no failure; rich would end with 1. See main.program."""
            raise BrokenPipeError

        def print(self, *objects: Any, **how: Any) -> None:
            """Rich fills each line of a table with blanks, which a file or a pipe has no use for."""
            if self.is_terminal:
                super().print(*objects, **how)
                return
            with self.capture() as taken:
                super().print(*objects, **how)
            self.file.write("\n".join(line.rstrip(" ") for line in taken.get().split("\n")))
            self.file.flush()

    return Screen(width=None if sys.stdout.isatty() else 80, highlight=False, soft_wrap=False)


def notes() -> Console:
    """For progress and notes: standard error."""
    from rich.console import Console

    return Console(stderr=True, width=None if sys.stderr.isatty() else 80, highlight=False)
