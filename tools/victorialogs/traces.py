"""Traces of several lines: which of them says what went wrong, whether they came as one entry or one by one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.victorialogs.failures import begins_trace

INSIDE = re.compile(r"^\s|^$|^(?:File \"|at [\w.$<>/]+\(|\.\.\. \d|note: )")
BETWEEN = re.compile(r"^(?:During handling of the above|The above exception was)")
CAUSE = re.compile(r"^\s*(Caused by: \S.*)$", re.MULTILINE)
NAMED = re.compile(r"^(?:[\w$]+\.)*[A-Z]\w*(?:: .*)?$")
"""As the last line of a Python trace is written: the exception's name, and what it says."""


def outcome(lines: Sequence[str]) -> str:
    """What went wrong, of lines that follow each other; empty where no trace among them comes to its end.

    A trace of several exceptions ends with the one that nobody handled. Where a collector has cut the indents off,
    only a line that is written as an exception ends it.
    """
    is_cut = any(line.startswith('File "') for line in lines)
    found, is_inside = "", False
    for line in lines:
        if begins_trace(line):
            is_inside = True
        elif INSIDE.match(line) or BETWEEN.match(line) or (is_cut and not NAMED.match(line)):
            continue
        elif is_inside:
            found, is_inside = line.strip(), False
        elif found:
            break
    return found


def gist(text: str) -> str:
    """An entry that holds a whole trace, with what went wrong first; others as they are."""
    lines = text.strip().splitlines()
    if len(lines) < 2:
        return text
    last = outcome(lines)
    if last:
        return f"{last} ({text})"
    causes = CAUSE.findall(text)
    return f"{lines[0]}: {causes[-1]} ({text})" if causes else text
