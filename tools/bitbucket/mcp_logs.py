"""Tools of our MCP server that say what happened inside a step: its log in three ways, and its test reports."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO

from tools.bitbucket.client import BitbucketClient
from tools.bitbucket.mcp_lists import SYSTEM, find_step
from tools.bitbucket.mcp_shapes import LogLine, LogQuery, OfStep, StepLog, TestCaseLine, TestReports
from tools.bitbucket.step_logs import LogSlice
from tools.cleaning import Clean
from tools.errors import PermanentError

Explain = Callable[[BinaryIO, int], Sequence[tuple[int, str]]]
"""Lines of a log that say why it failed: number and text, best first. At most so many."""

SEARCHED_BYTES = 32 * 1024 * 1024
KEPT_IN_MEMORY = 4 * 1024 * 1024
LONGEST_LINE = 500
MOST_FAILING = 30
LONGEST_KEY = 200
"""Lines. The largest private keys have half as many."""


def get_step_log(client: BitbucketClient, arguments: LogQuery, explain: Explain | None, clean: Clean) -> StepLog:
    """``explain`` absent means that only tail and grep are offered."""
    pipeline, step = find_step(client, arguments, arguments.step)
    if arguments.mode == "tail":
        return _tail(client.step_log_tail(arguments.repository, pipeline.uuid, step.uuid), arguments, step.name, clean)
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


def _tail(end: LogSlice, arguments: LogQuery, name: str, clean: Clean) -> StepLog:
    # Cleaned before it is taken apart: a private key spans many lines. Lines are counted by line feeds, as elsewhere.
    lines = clean(end.data.decode(errors="replace")).removesuffix("\n").split("\n") if end.data else []
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
    found: deque[LogLine] = deque(maxlen=arguments.lines)
    matching = 0
    for number, text in _outside_of_keys(log):
        if pattern.search(text):
            matching += 1
            found.append(_line(number, text))
    return list(found), matching - len(found)


def _outside_of_keys(log: BinaryIO) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without those of a private key: none of them looks like a secret by itself."""
    inside = 0
    for number, raw in enumerate(log, start=1):
        text = raw.decode(errors="replace").rstrip("\r\n")
        if "PRIVATE KEY-----" in text:
            inside = LONGEST_KEY if "-----BEGIN" in text else 0
        elif inside:
            inside -= 1
        else:
            yield number, text


def _explained(log: BinaryIO, arguments: LogQuery, explain: Explain | None) -> tuple[list[LogLine], int]:
    if explain is None:
        raise PermanentError("explained is not offered here", system=SYSTEM, hint="Use mode tail or grep.")
    return [_line(number, text) for number, text in sorted(explain(log, arguments.lines))], -1


def _line(number: int | None, text: str) -> LogLine:
    return LogLine(number=number, text=text.rstrip("\r")[:LONGEST_LINE])
