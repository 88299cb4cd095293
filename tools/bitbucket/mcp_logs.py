"""Tools of our MCP server that say what happened inside a step: its log in three ways, and its test reports."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import BinaryIO

from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.mcp_lists import SYSTEM, find_step
from tools.bitbucket.mcp_shapes import LogLine, LogQuery, OfStep, StepLog, TestCaseLine, TestReports
from tools.errors import PermanentError

Explain = Callable[[BinaryIO, int], Sequence[tuple[int, str]]]
"""Lines of a log that say why it failed: number and text, best first. At most so many."""

SEARCHED_BYTES = 32 * 1024 * 1024
KEPT_IN_MEMORY = 4 * 1024 * 1024
LONGEST_LINE = 500
MOST_FAILING = 30


def get_step_log(client: BitbucketClient, arguments: LogQuery, explain: Explain | None) -> StepLog:
    """``explain`` absent means that only tail and grep are offered."""
    pipeline, step = find_step(client, arguments, arguments.step)
    if arguments.mode == "tail":
        return _tail(client, arguments, pipeline.uuid, step.uuid, step.name)
    with tempfile.SpooledTemporaryFile(max_size=KEPT_IN_MEMORY) as log:
        size = client.step_log(arguments.repository, pipeline.uuid, step.uuid, log, max_bytes=SEARCHED_BYTES)  # type: ignore[arg-type]  # a spooled file has all that a binary file has
        log.seek(0)
        note = f"only the first {SEARCHED_BYTES // 2**20} MB were read" if size >= SEARCHED_BYTES else ""
        if not size:
            note = "the log is empty; the step may never have started"
        if arguments.mode == "grep":
            found, left_out = _grep(log, arguments)  # type: ignore[arg-type]
        else:
            found, left_out = _explained(log, arguments, explain)  # type: ignore[arg-type]
    return StepLog(step=step.name, mode=arguments.mode, lines=found, left_out=left_out, note=note)


def get_test_reports(client: BitbucketClient, arguments: OfStep) -> TestReports:
    pipeline, step = find_step(client, arguments, arguments.step)
    summary = client.test_reports(arguments.repository, pipeline.uuid, step.uuid)
    if summary is None:
        return TestReports(reported=False, total=0, successful=0, failed=0, skipped=0, failing=[])
    cases = client.test_cases(arguments.repository, pipeline.uuid, step.uuid)
    failing = [case for case in cases if case.status in ("FAILED", "ERROR")][:MOST_FAILING]
    return TestReports(
        reported=True,
        total=summary.total,
        successful=summary.successful,
        failed=summary.failed + summary.errors,
        skipped=summary.skipped,
        failing=[TestCaseLine(name=case.fully_qualified_name or case.name, status=case.status) for case in failing],
    )


def _tail(client: BitbucketClient, arguments: LogQuery, pipeline: str, step: str, name: str) -> StepLog:
    end = client.step_log_tail(arguments.repository, pipeline, step)
    lines = end.data.decode(errors="replace").splitlines()
    first = None if end.truncated else 1
    shown = lines[-arguments.lines :]
    cut = len(lines) - len(shown)
    numbers = range(first + cut, first + len(lines)) if first else [None] * len(shown)
    return StepLog(
        step=name,
        mode="tail",
        lines=[_line(number, text) for number, text in zip(numbers, shown, strict=True)],
        left_out=-1 if end.truncated else cut,
        note="" if end.data else "the log is empty; the step may never have started",
    )


def _grep(log: BinaryIO, arguments: LogQuery) -> tuple[list[LogLine], int]:
    """The last lines that match, because a failure stands at the end."""
    import re2

    if not arguments.pattern:
        raise PermanentError("grep needs a pattern", system=SYSTEM, hint="Give pattern, as in (?i)error|failed.")
    try:
        pattern = re2.compile(arguments.pattern)
    except re2.error as problem:
        hint = "RE2 knows no look-around and no back-references."
        raise PermanentError(f"the pattern is not valid: {problem}", system=SYSTEM, hint=hint) from problem
    found = [
        _line(number, text)
        for number, raw in enumerate(log, start=1)
        if pattern.search(text := raw.decode(errors="replace").rstrip("\r\n"))
    ]
    return found[-arguments.lines :], max(0, len(found) - arguments.lines)


def _explained(log: BinaryIO, arguments: LogQuery, explain: Explain | None) -> tuple[list[LogLine], int]:
    if explain is None:
        raise PermanentError("explained is not offered here", system=SYSTEM, hint="Use mode tail or grep.")
    return [_line(number, text) for number, text in sorted(explain(log, arguments.lines))], -1


def _line(number: int | None, text: str) -> LogLine:
    return LogLine(number=number, text=text[:LONGEST_LINE])
