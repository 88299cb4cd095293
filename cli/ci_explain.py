"""`crew ci explain`: which lines of a log explain the failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.output import console, json_option, print_json

if TYPE_CHECKING:
    from opscrew.ci.explain.lines import ExplainedLine, Explanation


def explain_logs(
    files: list[str] = typer.Argument(..., metavar="FILE...", help="Logs, plain or gzip; - is standard input."),
    passing: str = typer.Option("", "--passing", metavar="FILE", help="A log of the same step that passed."),
    budget: int = typer.Option(60, "--budget", metavar="N", help="Show at most this many lines of each log."),
    as_json: bool = json_option(),
) -> None:
    """Show the lines of each log that explain why it failed, best first."""
    from cli.log_files import read_input_once, readable, reading, tell
    from opscrew.errors import CrewError, UsageError

    if budget < 1:
        raise UsageError(f"--budget {budget}: at least one line has to be shown.", "Leave it out for 60 lines.")
    read_input_once([*files, passing])
    if passing and len(files) > 1:
        raise UsageError("--passing compares with one log.", "Give one FILE, or run the command once for each.")
    broken = 0
    for name in files:
        try:
            with reading(name):
                explanation, is_log = _explain(name, passing, budget)
        except CrewError as problem:
            broken += 1
            tell(problem)
            continue
        if as_json:
            numbers = [line.number for line in explanation.lines]
            print_json({"file": readable(name), "n_lines": explanation.total_lines, "lines": numbers})
        else:
            _show(name, explanation, is_log=is_log)
    if broken:
        raise typer.Exit(1)


def _explain(name: str, passing: str, budget: int) -> tuple[Explanation, bool]:
    """What explains the failure, and whether the file is text at all."""
    from cli.log_files import is_text, open_log
    from opscrew.ci.explain.lines import explain

    with open_log(name) as log:
        text = is_text(log)
        if not passing:
            return explain(log, budget=budget), text
        with open_log(passing) as passed:
            return explain(log, budget=budget, passing=passed), text


def _show(name: str, explanation: Explanation, *, is_log: bool) -> None:
    """The chosen lines in groups of neighbours, the group with the best line first, each group in the log's order."""
    from rich.text import Text

    from cli.log_files import shown

    out, called = console(), shown(name)
    if not is_log:
        out.print(Text(f"{called}: no text, so nothing of it is shown."), soft_wrap=True)
        return
    if not explanation.lines:
        out.print(Text(f"{called}: {_why_none(explanation)}"), soft_wrap=True)
        return
    count = len(explanation.lines)
    out.print(Text(f"{called}: {count} of {explanation.total_lines} lines explain the failure", style="bold"))
    best = explanation.lines[0].number
    width = len(str(explanation.total_lines))
    for group in groups(explanation.lines):
        out.print()
        for line in group:
            style = "bold red" if line.number == best else ""
            text = Text(f"{line.number:>{width}}  {line.text.expandtabs(4)}", style=style)
            out.print(text, no_wrap=True, overflow="ellipsis")


def _why_none(explanation: Explanation) -> str:
    if explanation.is_empty:
        return "empty."
    lines = f"{explanation.total_lines} lines"
    if not explanation.output_lines:
        return f"{lines} of the CI system's own; the script printed nothing."
    return f"{lines}, none of them explains a failure."


def groups(lines: tuple[ExplainedLine, ...]) -> list[list[ExplainedLine]]:
    """Runs of lines that stand together (at most two lines left out between them), in the order of their best line."""
    runs: list[list[ExplainedLine]] = []
    for line in sorted(lines, key=lambda line: line.number):
        if runs and line.number - runs[-1][-1].number <= 3:
            runs[-1].append(line)
        else:
            runs.append([line])
    place = {line.number: index for index, line in enumerate(lines)}
    return sorted(runs, key=lambda run: min(place[line.number] for line in run))
