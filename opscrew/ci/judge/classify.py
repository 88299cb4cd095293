"""Is a re-run worth it?

Owns the order in which evidence counts. Only the lines that explain the failure are judged, together with the CI
system's own error message: words about the network appear in most logs, but seldom among the lines that matter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from opscrew.ci.explain.lines import ExplainedLine, Explanation, surroundings
from opscrew.ci.judge.deployments import Deployment
from opscrew.ci.judge.hosts import host_named
from opscrew.ci.judge.signatures.catalog import Catalog, Verdict, catalog
from opscrew.ci.judge.signatures.matching import NEAR_LINES, Match, matches_of
from opscrew.redaction import redact

__all__ = ["Classification", "Verdict", "classify"]

JUDGED_BELOW_BEST = 3.3
"""Lines whose score is this much below the best are shown to people and do not speak for a re-run. Without it 1.6 % of
the marked genuine failures were re-run, five times more than with it."""

MOST_EVIDENCE = 8
"""Lines of evidence that are kept: what a person reads at a glance."""


LONGEST_MESSAGE = 500
"""Characters kept of each line of the CI system's own message, as of each line of a log."""

DEPLOYMENT_STARTED = "deployment-started"
DEPLOYMENT_CONFIDENCE = 0.9
"""A deployment that stopped half way must not be repeated without a look at what it left."""

STATED_SCORE = 1e6
"""What the CI system itself states outranks every line of the log."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict, the signature that decided ("" if none), and the lines that show it, best first.

    ``next_step`` is what a person does about just this signature, "" where the verdict's own says enough. ``host`` is
    the other machine that a blip's lines name, "" where they name none.
    """

    verdict: Verdict
    signature: str
    confidence: float
    lines: tuple[ExplainedLine, ...]
    next_step: str = ""
    host: str = ""


def classify(explanation: Explanation, *, error_message: str = "", known: Catalog | None = None) -> Classification:
    """Judges the explaining lines together with ``error_message``, the step's own error where there is one.

    Order: what the CI system itself says, which outranks a log that just stops; then what the change did wrong; then
    trouble that stays; then what is left alone (a person or a deployment is involved); then trouble that passes. Else
    ``unknown``. ``known`` are the signatures to go by, by default the project's own.
    """
    known = known or catalog()
    stated = matches_of(_as_lines(error_message), known)
    for verdict, group in _in_order(explanation, stated, known):
        chosen = [match for match in group if match.signature.verdict is verdict]
        if chosen and verdict is Verdict.TRANSIENT and explanation.deployment is not None:
            return _after_a_deployment(explanation.deployment, chosen)
        if chosen:
            return _decided(verdict, chosen)
    return Classification(Verdict.UNKNOWN, "", 0.0, explanation.lines[:MOST_EVIDENCE])


def _in_order(explanation: Explanation, stated: list[Match], known: Catalog) -> Iterable[tuple[Verdict, list[Match]]]:
    """Verdicts with the matches that may speak for them; the first one that any does speak for is the verdict."""
    lines = sorted((*explanation.lines, *explanation.nearly, *explanation.beside), key=lambda line: line.number)
    matches = [*stated, *matches_of(lines, known, explanation.command)]
    telling = _telling(explanation)
    # What a command complained of that succeeded, since another one was begun after it, broke nothing; nor did what a
    # tool tried again and then got.
    survived = explanation.last_command
    through = max((line.number for line in lines if known.shared.went_through(line.text)), default=0)
    blips = [
        match
        for match in matches
        if match.signature.verdict is Verdict.TRANSIENT
        and (match in stated or match.line in telling)
        and not 0 < match.line.number < survived
        and not (0 < match.line.number < through and known.shared.tried_again(match.line.text))
    ]
    lasting = [match for match in matches if match.signature.verdict is Verdict.INFRA_PERSISTENT]
    end = max((line.number for line in lines), default=0)
    denials = [match for match in matches if _denies(match, blips + lasting, end)]
    return (
        (Verdict.INFRA_PERSISTENT, stated),
        (Verdict.UNKNOWN, stated),
        (Verdict.GENUINE, denials),
        (Verdict.INFRA_PERSISTENT, lasting),
        (Verdict.UNKNOWN, denials),
        (Verdict.TRANSIENT, blips),
        (Verdict.GENUINE, matches),
    )


def _after_a_deployment(deployment: Deployment, blips: list[Match]) -> Classification:
    """What passed by itself broke something that was half done: a person looks at it first."""
    begun = ExplainedLine(deployment.line, deployment.text, STATED_SCORE)
    decided = _decided(Verdict.UNKNOWN, blips)
    return Classification(
        Verdict.UNKNOWN,
        DEPLOYMENT_STARTED,
        DEPLOYMENT_CONFIDENCE,
        (begun, *decided.lines[: MOST_EVIDENCE - 1]),
        next_step="Look at what the deployment left behind before anything is run again.",
    )


def _telling(explanation: Explanation) -> set[ExplainedLine]:
    """Lines that may speak for a re-run: scored nearly as well as the best one, or standing around it. What stands
    beyond them may still speak against it, but a word about the network in a line that is probably not the cause must
    not lead to a re-run."""
    best = max((line.score for line in explanation.lines), default=0.0)
    around = surroundings(sorted(explanation.lines, key=lambda line: -line.score)[:1])
    ranked = (*explanation.lines, *explanation.nearly)
    near = (line for line in ranked if line.score >= best - JUDGED_BELOW_BEST or line.number in around)
    return {*near, *explanation.beside}


def _denies(match: Match, troubles: list[Match], end: int) -> bool:
    """A denial counts, unless it comes with trouble that leaves the same message behind.

    Tools print a heading over the cause as often as a complaint under it, so a little before counts as after. What
    stays broken and stands at the ``end`` of the log, such as a memory limit, ended whatever went on above it.
    """
    if match.signature.consequence:
        return not any(trouble.line.number <= match.line.number + NEAR_LINES for trouble in troubles)
    return not any(
        trouble.signature.decisive
        and (
            trouble.line.number <= match.line.number
            or (trouble.signature.verdict is Verdict.INFRA_PERSISTENT and trouble.line.number > end - NEAR_LINES)
        )
        for trouble in troubles
    )


def _decided(verdict: Verdict, matches: list[Match]) -> Classification:
    """The best explaining line decides which signature is named; every line of the verdict is evidence."""
    best = max(matches, key=lambda match: (match.signature.confidence, match.line.score))
    ordered = sorted(matches, key=lambda match: (match.signature is not best.signature, -match.line.score))
    lines = tuple(dict.fromkeys(match.line for match in ordered))[:MOST_EVIDENCE]
    host = host_named(line.text for line in lines) if verdict is Verdict.TRANSIENT else ""
    return Classification(verdict, best.signature.id, best.signature.confidence, lines, best.signature.next_step, host)


def _as_lines(message: str) -> tuple[ExplainedLine, ...]:
    """The CI system's message as lines before the log: number 0, and more telling than any line of it."""
    texts = [text.strip()[:LONGEST_MESSAGE] for text in redact(message).splitlines()]
    return tuple(ExplainedLine(0, text, STATED_SCORE) for text in texts if text)
