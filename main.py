"""The `crew` program: assembles the commands and turns errors into one line and an exit code.

Nothing heavy is imported here; each command imports what it needs inside its body, which is what keeps
`crew --help` fast.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import traceback
from pathlib import Path

import typer

from opscrew.library_switches import set_library_switches

set_library_switches()  # before any other import: libraries read it while they are imported

from cli import COMMANDS  # noqa: E402
from cli.context import App  # noqa: E402
from cli.help import WIDEST, example, without_types  # noqa: E402
from cli.version import show_version  # noqa: E402
from opscrew.private_files import keep_files_private  # noqa: E402

OBJECTS_BETWEEN_LOOKS = 50_000
"""Python's own 700 is meant for far smaller programs. What the daemon holds with it stands in docs/BENCHMARKS.md."""

application = typer.Typer(
    name="crew",
    help="A DevOps team member that runs around the clock on your own CPUs.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    epilog=example("crew ask 'what failed since yesterday evening?'"),
)
without_types()
for register in COMMANDS:
    register(application)


@application.callback()
def options(
    context: typer.Context,
    config: str = typer.Option(
        "", "--config", metavar="FILE", help="Configuration file (else CREW_CONFIG, else ./crew.yaml)."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks and debug logs."),
    version: bool = typer.Option(
        False, "--version", callback=show_version, is_eager=True, help="Show what is installed."
    ),
) -> None:
    context.obj = App(config_path=config, debug=debug)
    # Rich looks at these by itself, typer does not: https://no-color.org. None means "on a terminal".
    unwanted = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    context.color = False if unwanted else None


def program() -> None:
    """Entry point. Exit codes: 0 worked, 1 failed, 2 written wrongly, 130 stopped by Ctrl-C."""
    debug = "--debug" in sys.argv
    # Imports make a hundred thousand objects and hardly any garbage; looking for it takes a fifth of a short command.
    gc.set_threshold(OBJECTS_BETWEEN_LOOKS, *gc.get_threshold()[1:])
    _open_closed_outputs()
    keep_files_private()
    try:
        _refuse_broken_text(sys.argv[1:])
        code = application(standalone_mode=False)
    except typer.TyperException as wrong:
        if type(wrong).__name__ == "NoArgsIsHelpError":
            print(wrong.format_message())  # noqa: T201
        else:
            print(f"crew: {wrong.format_message()}", file=sys.stderr)  # noqa: T201
            print("      `crew --help` lists commands and options.", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except SystemExit:
        # Typer meets a closed pipe before we do, quietens standard output and ends with 1.
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":
            sys.exit(0)
        raise
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has had enough. Python would complain again while flushing at exit.
        sys.stderr.close()
        sys.exit(0)
    except Exception as problem:  # noqa: BLE001  the last boundary: whatever it is, a person gets one line
        if debug:
            traceback.print_exception(problem)
        sys.exit(_report(problem))
    sys.exit(code if isinstance(code, int) else 0)


def _refuse_broken_text(arguments: list[str]) -> None:
    """Bytes that are no UTF-8 arrive as lone surrogates, which no database takes. Files may have such names."""
    for argument in arguments:
        if argument.encode("utf-8", "replace") != argument.encode("utf-8", "surrogatepass"):
            path = argument.partition("=")[2] if argument.startswith("-") else argument
            if not os.path.lexists(path):
                raise typer.TyperException(f"{argument!a} is no UTF-8 text")


def _open_closed_outputs() -> None:
    """Whoever closed an output (`>&-`) wants to see nothing there. Python leaves None, which no library expects."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open until the end


def _report(problem: Exception) -> int:
    """Prints one line and the hint; returns the exit code."""
    from opscrew.errors import CrewError, UsageError
    from opscrew.redaction import redact
    from tools.errors import UpstreamError

    if isinstance(problem, CrewError | UpstreamError):
        # It may quote what a system answered, which may quote what it was sent.
        message = redact(problem.message if isinstance(problem, CrewError) else str(problem))
        hint = problem.hint
    elif isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        message, hint = "cannot write: the disk is full", "Free some space, or write elsewhere."
    else:
        # Nobody has looked at this text before: it may quote a header or a URL with a secret in it.
        words = redact(str(problem)).splitlines() or ["no message"]
        message = f"unexpected {type(problem).__name__}: {words[0]}"
        hint = "Run again with --debug for the traceback, and please report it."
    print(f"crew: {message}", file=sys.stderr)  # noqa: T201
    if hint:
        print(f"      {hint}", file=sys.stderr)  # noqa: T201
    return 2 if isinstance(problem, UsageError) else 1


if __name__ == "__main__":
    program()
