"""`crew ci classify`: is it worth running a failed step again?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.output import json_option, print_json

if TYPE_CHECKING:
    from opscrew.ci.judge.classify import Classification

MEANING = {
    "transient": "A re-run may pass.",
    "genuine": "A re-run fails again: the change is at fault.",
    "infra_persistent": "Not the change's fault, but a re-run fails again until somebody mends it.",
    "unknown": "Nothing known explains it, so it is not re-run.",
}


def classify(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="Logs, plain or gzip; - is standard input."),
    error_message: str = typer.Option(
        "",
        "--error-message",
        metavar="TEXT",
        help="The step's own error as the CI system reports it, judged with each log.",
    ),
    as_json: bool = json_option(),
) -> None:
    """Tell for each failed log whether a re-run may pass, and which lines say so."""
    from cli.log_files import open_log, read_input_once, reading, tell
    from opscrew.ci.explain.lines import explain
    from opscrew.ci.judge.classify import classify as judge
    from opscrew.errors import CrewError

    read_input_once(files)

    broken = 0
    for name in files:
        try:
            with reading(name), open_log(name) as log:
                judged = judge(explain(log), error_message=error_message)
        except CrewError as problem:
            broken += 1
            tell(problem)
            continue
        if as_json:
            print_json(_as_json(name, judged))
        else:
            _show(name, judged)
    if broken:
        raise typer.Exit(1)


def _as_json(name: str, judged: Classification) -> dict[str, object]:
    from cli.log_files import readable

    return {
        "file": readable(name),
        "verdict": judged.verdict.value,
        "signature": judged.signature,
        "confidence": round(judged.confidence, 3),
        "next_step": judged.next_step,
        "lines": [{"line": line.number, "text": line.text} for line in judged.lines],
    }


def _show(name: str, judged: Classification) -> None:
    from rich.table import Table
    from rich.text import Text

    from cli.log_files import shown
    from cli.output import console

    colour = {"transient": "green", "genuine": "red", "infra_persistent": "yellow", "unknown": "bright_black"}
    heading = Text.assemble((shown(name), "bold"), ": ", (judged.verdict.value, colour[judged.verdict.value]))
    if judged.signature:
        heading.append(f" ({judged.signature}, confidence {judged.confidence:.0%})")
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bright_black", no_wrap=True)
    table.add_column(overflow="fold")
    for line in judged.lines:
        table.add_row(str(line.number) if line.number else "", Text(line.text.strip()))
    out = console()
    out.print(heading)
    out.print(MEANING[judged.verdict.value])
    if judged.next_step:
        out.print(Text(judged.next_step))
    out.print(table)
    out.print()
