"""Which lines of a failed step's log explain the failure.

Owns the answer's types and the order of work: read the log once in bounded memory, score the lines worth a closer
look, choose as few as explain the failure, and redact what is handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
import re2

from opscrew.ci.line_features import Numbers
from opscrew.ci.line_scores import UNSEEN_WORTH, scores
from opscrew.ci.log_lines import LONGEST_LINE, LogLines, read_lines
from opscrew.redaction import redact, without_private_keys

NEVER_BELOW_BEST = 4.5
"""Lines whose score is this much below the best are left out: at a factor of e for each unit they are 90 times less
likely to be part of the explanation. On projects that were not learnt from, 3.5 shows 33 lines and finds 85 % of what
people marked (F1 0.47), 4.5 shows 41 and finds 88 % (0.42), and all 60 find 90 % (0.32)."""

NEVER_BELOW_BEST_WITH_PASSING = 5.0
"""The same when a passing log has already taken away most of what explains nothing."""

FEWEST = 3
"""A single line is rarely enough for a person to understand a failure, so up to this many are always shown."""


CLEAN_UP = re2.compile(
    r"(?m)^[ \t]*(Build teardown|Post job cleanup\.?|Cleaning up (project directory|file based variables).*|"
    r"Uploading artifacts for failed job|\[Pipeline\] // (node|stage|timestamps|withEnv))[ \t]*$"
)
"""Headings under which CI systems put caches and artifacts away after the commands have ended. The last one and what
stands below it explain nothing."""

BESIDE_BEST, BESIDE_BEFORE, BESIDE_AFTER = 5, 2, 6
"""The surroundings of the five best lines: two lines above, where headings stand, six below, where causes do."""


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line: ``number`` counts from 1 at each line feed, ``text`` is cleaned, redacted and capped.

    ``score`` orders the lines of one log; it cannot be compared with the score of another log.
    """

    number: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """The chosen lines, best first, out of ``total_lines``.

    ``beside`` are lines around the best ones that were not worth showing. A person reads them in the log; whoever
    judges the failure by its words needs them, since a cause often stands in the plain line below its heading.
    """

    lines: tuple[ExplainedLine, ...]
    total_lines: int
    beside: tuple[ExplainedLine, ...] = ()


def explain(log: BinaryIO, *, budget: int = 60, passing: BinaryIO | None = None) -> Explanation:
    """At most ``budget`` lines of ``log`` that explain why it failed, best first, and fewer when fewer do.

    ``passing`` is a log of the same step that passed: what it says too explains little. Both are read once, as streams.
    Raises ``ValueError`` for a budget below 1; errors of reading are the stream's own.
    """
    if budget < 1:
        raise ValueError(f"the budget is a number of lines from 1, not {budget}")
    lines = read_lines(log, passing)
    lines = replace(lines, texts=without_private_keys(lines.texts))
    chosen = choose(lines, budget, has_passing=passing is not None)
    return Explanation(chosen, lines.total, _beside(lines, chosen))


def choose(lines: LogLines, budget: int, *, has_passing: bool) -> tuple[ExplainedLine, ...]:
    """The lines to show out of those kept, best first."""
    if not any(lines.texts):
        return ()
    return choose_by(scores(lines), lines, budget, has_passing=has_passing)


def choose_by(score: Numbers, lines: LogLines, budget: int, *, has_passing: bool) -> tuple[ExplainedLine, ...]:
    """The same with scores that were made elsewhere, one for each kept line."""
    reach = NEVER_BELOW_BEST
    if has_passing:
        reach = NEVER_BELOW_BEST_WITH_PASSING
        score = score + UNSEEN_WORTH * np.array(lines.unseen, np.float32)
    score = np.where(np.arange(len(score)) >= _end_of_words(lines.texts), -np.inf, score)
    order = [int(index) for index in np.argsort(-score, kind="stable")[:budget]]
    lowest = float(score[order[0]]) - reach
    chosen = [
        index
        for place, index in enumerate(order)
        if np.isfinite(score[index]) and (place < FEWEST or score[index] >= lowest)
    ]
    return tuple(
        ExplainedLine(lines.numbers[index], redact(lines.texts[index])[:LONGEST_LINE], round(float(score[index]), 2))
        for index in chosen
    )


def _end_of_words(texts: Sequence[str]) -> int:
    """Behind the last kept line that can explain anything: neither clean-up nor the empty lines at the very end."""
    end = _clean_up_begins(texts)
    while end and not texts[end - 1]:
        end -= 1
    return end


def _clean_up_begins(texts: Sequence[str]) -> int:
    """Where the CI system's own clean-up begins among the kept lines; behind the last one where there is none."""
    if not CLEAN_UP.search("\n".join(texts)):  # one look at all lines costs a tenth of a look at each
        return len(texts)
    found = [index for index, text in enumerate(texts) if CLEAN_UP.search(text)]
    return found[-1] if found and any(text.strip() for text in texts[: found[-1]]) else len(texts)


def surroundings(lines: Sequence[ExplainedLine]) -> set[int]:
    """Numbers of the lines around these, with these themselves."""
    return {number for line in lines for number in range(line.number - BESIDE_BEFORE, line.number + BESIDE_AFTER + 1)}


def _beside(lines: LogLines, chosen: tuple[ExplainedLine, ...]) -> tuple[ExplainedLine, ...]:
    """In the order of the log, scored as the least of the chosen lines."""
    shown = {line.number for line in chosen}
    around = surroundings(chosen[:BESIDE_BEST])
    least = min((line.score for line in chosen), default=0.0)
    return tuple(
        ExplainedLine(number, redact(text)[:LONGEST_LINE], least)
        for number, text in zip(lines.numbers, lines.texts, strict=True)
        if number in around and number not in shown and text.strip()
    )
