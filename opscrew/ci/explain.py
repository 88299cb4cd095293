"""Which lines of a failed step's log explain the failure.

Owns the answer's types and the order of work: read the log once in bounded memory, clean and redact the lines worth
a closer look, score them, and choose as few as explain the failure.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass
from typing import BinaryIO

from opscrew.redaction import redact

LONGEST_LINE = 500
"""Characters of a line that are kept: enough for any message, too few to flood a report."""

TAIL_LINES = 2000
BLOCK_BYTES = 1 << 20
ERROR_LIKE = re.compile(
    r"error|fail|exception|traceback|fatal|panic|denied|cannot|timed? ?out|not found", re.IGNORECASE
)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line: ``number`` counts from 1 at each line feed, ``text`` is cleaned, redacted and capped."""

    number: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chosen lines, best first, out of ``total_lines``."""

    lines: tuple[ExplainedLine, ...]
    total_lines: int


def explain(log: BinaryIO, *, budget: int = 60, passing: BinaryIO | None = None) -> Explanation:
    """At most ``budget`` lines of ``log`` that explain why it failed, best first.

    ``passing`` is a log of the same step that passed: what it says too explains nothing.
    """
    seen = {_key(text) for _, text in _tail(passing)[0]} if passing is not None else set()
    tail, total = _tail(log)
    scored = []
    for position, (number, text) in enumerate(tail):
        if not text or _key(text) in seen:
            continue
        score = position / max(1, len(tail)) + (2.0 if ERROR_LIKE.search(text) else 0.0)
        scored.append(ExplainedLine(number, text, score))
    scored.sort(key=lambda line: (-line.score, line.number))
    return Explanation(tuple(scored[:budget]), total)


def _tail(log: BinaryIO) -> tuple[list[tuple[int, str]], int]:
    kept: deque[tuple[int, bytes]] = deque(maxlen=TAIL_LINES)
    number, rest = 0, b""
    while block := log.read(BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\n")
        rest = rest[-4 * LONGEST_LINE :]
        kept.extend((number + index, line[: 4 * LONGEST_LINE]) for index, line in enumerate(lines, 1))
        number += len(lines)
    kept.append((number + 1, rest))
    return [(line_number, _clean(line)) for line_number, line in kept], number + 1


def _clean(line: bytes) -> str:
    text = ESCAPE.sub("", line.decode("utf-8", "replace")).rstrip("\r\n").rpartition("\r")[2]
    return redact(text)[:LONGEST_LINE]


def _key(text: str) -> str:
    return re.sub(r"\d+", "0", text)
