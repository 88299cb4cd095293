"""Which lines of a failed step's log explain the failure.

Owns the answer's types and the order of work: read the log once in bounded memory, score the lines worth a closer
look, choose as few as explain the failure, and redact what is handed out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

import numpy as np
import re2

from opscrew.ci.explain.explanation_length import length_weights, lines_worth_showing, signs_of_length
from opscrew.ci.explain.frame import Role
from opscrew.ci.explain.line_features import Numbers, features
from opscrew.ci.explain.line_scores import UNSEEN_WORTH, scores
from opscrew.ci.explain.line_signatures import named_lines
from opscrew.ci.explain.log_lines import LONGEST_LINE, LogLines, read_lines
from opscrew.ci.judge.deployments import Deployment, DeploymentWatch
from opscrew.redaction import redact, without_private_keys

NEARLY_SHOWN = 5.2
"""Lines whose score is at most this much below the best are handed to whoever judges the failure, shown or not: a short
explanation must not hide what speaks against a re-run. At a factor of e for each unit the next ones are 180 times less
likely to be part of the explanation than the best."""

TIDYING = re2.compile(
    r"^(\+|\$) (sudo )?(docker(-compose| compose)? (logs|ps|down|stop|rm|kill|inspect|images)|echo|printf|ls|df|du|free"
    r"|ps|kill|pkill|sleep|exit|true|curl .*(hook|slack|teams|discord)|.*(slack|teams|email)-notify|git (status|log))\b"
)
"""Commands that look, put away or tell somebody. Where one is the last of a log, it is seldom the one that failed."""

LOOKED_UP = 60
"""Lines, the best first, that are looked up in the catalogue of signatures."""

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
    """The chosen lines, best first, out of ``total_lines``, of which ``output_lines`` are what the commands printed.
    ``is_empty`` says that the log holds no character at all that could be seen.

    Two more kinds are not worth showing, and are needed by whoever judges the failure by its words: ``nearly`` are the
    next best lines, ``beside`` those around the best ones, since a cause often stands in the plain line below its
    heading. None of the three holds a line of the CI system's frame or the echo of a command.

    ``command`` is the echo of the command that printed the best line, where the log shows it, and ``last_command`` the
    number of the last echo with words below it: the command that failed, since a step ends there. ``deployment`` is the
    first one that had begun anywhere in the log.
    """

    lines: tuple[ExplainedLine, ...]
    total_lines: int
    nearly: tuple[ExplainedLine, ...] = ()
    beside: tuple[ExplainedLine, ...] = ()
    output_lines: int = 0
    is_empty: bool = False
    command: ExplainedLine | None = None
    last_command: int = 0
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
    return Explanation(
        lines=chosen,
        total_lines=lines.total,
        nearly=nearly,
        beside=_beside(lines, chosen + nearly),
        output_lines=_output_lines(lines),
        is_empty=lines.is_empty,
        command=_command(lines, chosen),
        last_command=_last_command(lines),
        deployment=watch.found,
    )


def choose(lines: LogLines, budget: int, *, has_passing: bool) -> tuple[tuple[ExplainedLine, ...], ...]:
    """The lines to show out of those kept, and those that nearly were; both best first, together within ``budget``."""
    if not any(lines.texts):
        return (), ()
    names, values = features(lines)
    score = final_scores(scores(names, values, lines.unseen), lines, has_passing=has_passing)
    if not np.isfinite(score).any():
        return (), ()
    # With a passing log the unseen lines stand out so far that their number says what the signs would.
    longer = 0.0 if has_passing else length_weights().longer(signs_of_length(names, values, score, lines.length))
    return choose_by(score, longer, lines, budget)


def final_scores(score: Numbers, lines: LogLines, *, has_passing: bool) -> Numbers:
    """Each line's score with what a passing log says of it, and minus infinity where nothing can explain anything:
    frame lines and echoed commands in the middle of the log."""
    if has_passing:
        score = score + UNSEEN_WORTH * np.array(lines.unseen, np.float32)
    final: Numbers = score.copy()
    final[[place for place, role in enumerate(lines.roles) if role is not Role.OUTPUT]] = -np.inf
    return final


def choose_by(score: Numbers, longer: float, lines: LogLines, budget: int) -> tuple[tuple[ExplainedLine, ...], ...]:
    """The same by final scores that were made elsewhere, for an explanation that is ``longer`` than usual.

    What the catalogue knows with confidence comes first. It keeps its score: how surely a line is known says nothing
    about how probably this failure is explained by it, which is what whoever judges the failure goes by.
    """
    order = np.argsort(-score, kind="stable")[: max(budget, LOOKED_UP)]
    order = order[np.isfinite(score[order])]
    named = order[named_lines([lines.texts[index] for index in order[:LOOKED_UP]])]
    order = order[:budget]
    below_best = score[order[0]] - score[order]
    worth = lines_worth_showing(below_best, longer)
    near = max(worth, int((below_best <= NEARLY_SHOWN).sum()))
    first = dict.fromkeys((*named, *order[:worth]))
    places = [*first, *(index for index in order[worth:near] if index not in first)][:budget]
    ranked = tuple(
        ExplainedLine(lines.numbers[index], redact(lines.texts[index])[:LONGEST_LINE], round(float(score[index]), 2))
        for index in map(int, places)
    )
    return ranked[: len(first)], ranked[len(first) :]


def surroundings(lines: Sequence[ExplainedLine]) -> set[int]:
    """Numbers of the lines around these, with these themselves."""
    return {number for line in lines for number in range(line.number - BESIDE_BEFORE, line.number + BESIDE_AFTER + 1)}


def _beside(lines: LogLines, ranked: tuple[ExplainedLine, ...]) -> tuple[ExplainedLine, ...]:
    """In the order of the log, scored as the least of the ranked lines. Only words of the same command: none from
    beyond an echo."""
    shown = {line.number for line in ranked}
    best = {line.number for line in ranked[:BESIDE_BEST]}
    around = surroundings(ranked[:BESIDE_BEST])
    near = [(place, number) for place, number in enumerate(lines.numbers) if number in around]
    echoes = [place for place, role in enumerate(lines.roles) if role is Role.ECHO]
    of_command = {bisect_left(echoes, place) for place, number in near if number in best}
    least = min((line.score for line in ranked), default=0.0)
    return tuple(
        ExplainedLine(number, redact(lines.texts[place])[:LONGEST_LINE], least)
        for place, number in near
        if number not in shown
        and bisect_left(echoes, place) in of_command
        and lines.roles[place] is Role.OUTPUT
        and lines.texts[place].strip()
    )


def _output_lines(lines: LogLines) -> int:
    """Of a long log that is not kept whole, the lines between count as output too."""
    printed = any(role is Role.OUTPUT and text.strip() for role, text in zip(lines.roles, lines.texts, strict=True))
    others = len(lines.roles) - lines.roles.count(Role.OUTPUT)
    return lines.length - others if printed else 0


def _command(lines: LogLines, chosen: tuple[ExplainedLine, ...]) -> ExplainedLine | None:
    """The last echo above the line with the best score."""
    if not chosen:
        return None
    best = max(chosen, key=lambda line: line.score)
    last = lines.first_command
    for place in reversed(range(bisect_left(lines.numbers, best.number))):
        if lines.roles[place] is Role.ECHO:
            last = lines.numbers[place], lines.texts[place]
            break
    return ExplainedLine(last[0], redact(last[1])[:LONGEST_LINE], best.score) if last else None


def _last_command(lines: LogLines) -> int:
    """0 where no command is echoed that printed anything. Those of an after-script run whatever failed before."""
    said = False
    for number, text, role in zip(reversed(lines.numbers), reversed(lines.texts), reversed(lines.roles), strict=True):
        if role is Role.ECHO:
            if said and not TIDYING.search(text):
                return number
            said = False
        said = said or (role is Role.OUTPUT and bool(text.strip()))
    return 0
