"""Which lines of a failed step's log explain the failure.

Owns the answer's types and the order of work: read the log once in bounded memory, score the lines worth a closer
look, choose as few as explain the failure, and redact what is handed out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import numpy as np
import re2

from opscrew.ci.deployments import Deployment, DeploymentWatch
from opscrew.ci.explanation_length import length_weights, lines_worth_showing, signs_of_length
from opscrew.ci.line_features import Numbers, features
from opscrew.ci.line_scores import UNSEEN_WORTH, scores
from opscrew.ci.log_lines import LONGEST_LINE, LogLines, read_lines
from opscrew.redaction import redact, without_private_keys

CLEAN_UP = re2.compile(
    r"(?m)^[ \t]*(Build teardown|Post job cleanup\.?|Cleaning up (project directory|file based variables).*|"
    r"Uploading artifacts for failed job|\[Pipeline\] // (node|stage|timestamps|withEnv))[ \t]*$"
)
"""Headings under which CI systems put caches and artifacts away after the commands have ended. The last one and what
stands below it explain nothing."""

NEARLY_SHOWN = 4.5
"""Lines whose score is at most this much below the best are handed to whoever judges the failure, shown or not: a short
explanation must not hide what speaks against a re-run. At a factor of e for each unit the next ones are 90 times less
likely to be part of the explanation than the best."""

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

    Two more kinds are not worth showing, and are needed by whoever judges the failure by its words: ``nearly`` are the
    next best lines, ``beside`` those around the best ones, since a cause often stands in the plain line below its
    heading. ``deployment`` is the first one that had begun anywhere in the log.
    """

    lines: tuple[ExplainedLine, ...]
    total_lines: int
    nearly: tuple[ExplainedLine, ...] = ()
    beside: tuple[ExplainedLine, ...] = ()
    deployment: Deployment | None = None


def explain(log: BinaryIO, *, budget: int = 60, passing: BinaryIO | None = None) -> Explanation:
    """At most ``budget`` lines of ``log`` that explain why it failed, best first, and fewer when fewer do.

    ``passing`` is a log of the same step that passed: what it says too explains little. Both are read once, as streams.
    Raises ``ValueError`` for a budget below 1; errors of reading are the stream's own.
    """
    if budget < 1:
        raise ValueError(f"the budget is a number of lines from 1, not {budget}")
    watch = DeploymentWatch(log)
    lines = read_lines(cast(BinaryIO, watch), passing)
    lines = replace(lines, texts=without_private_keys(lines.texts))
    chosen, nearly = choose(lines, budget, has_passing=passing is not None)
    return Explanation(chosen, lines.total, nearly, _beside(lines, chosen + nearly), watch.found)


def choose(lines: LogLines, budget: int, *, has_passing: bool) -> tuple[tuple[ExplainedLine, ...], ...]:
    """The lines to show out of those kept, and those that nearly were; both best first, together within ``budget``."""
    if not any(lines.texts):
        return (), ()
    names, values = features(lines)
    score = final_scores(scores(names, values, lines.unseen), lines, has_passing=has_passing)
    # With a passing log the unseen lines stand out so far that their number says what the signs would.
    longer = 0.0 if has_passing else length_weights().longer(signs_of_length(names, values, score, lines.total))
    return choose_by(score, longer, lines, budget)


def final_scores(score: Numbers, lines: LogLines, *, has_passing: bool) -> Numbers:
    """Each line's score with what a passing log says of it, and minus infinity where nothing can explain anything."""
    if has_passing:
        score = score + UNSEEN_WORTH * np.array(lines.unseen, np.float32)
    final: Numbers = np.where(np.arange(len(score)) >= _end_of_words(lines.texts), np.float32(-np.inf), score)
    return final


def choose_by(score: Numbers, longer: float, lines: LogLines, budget: int) -> tuple[tuple[ExplainedLine, ...], ...]:
    """The same by final scores that were made elsewhere, for an explanation that is ``longer`` than usual."""
    order = np.argsort(-score, kind="stable")[:budget]
    order = order[np.isfinite(score[order])]
    below_best = score[order[0]] - score[order]
    worth = lines_worth_showing(below_best, longer)
    near = max(worth, int((below_best <= NEARLY_SHOWN).sum()))
    ranked = tuple(
        ExplainedLine(lines.numbers[index], redact(lines.texts[index])[:LONGEST_LINE], round(float(score[index]), 2))
        for index in map(int, order[:near])
    )
    return ranked[:worth], ranked[worth:]


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


def _beside(lines: LogLines, ranked: tuple[ExplainedLine, ...]) -> tuple[ExplainedLine, ...]:
    """In the order of the log, scored as the least of the ranked lines."""
    shown = {line.number for line in ranked}
    around = surroundings(ranked[:BESIDE_BEST])
    least = min((line.score for line in ranked), default=0.0)
    return tuple(
        ExplainedLine(number, redact(text)[:LONGEST_LINE], least)
        for number, text in zip(lines.numbers, lines.texts, strict=True)
        if number in around and number not in shown and text.strip()
    )
