"""Is a re-run worth it?

Owns the order in which evidence counts. Only the lines that explain the failure are judged, together with the CI
system's own error message: words about the network appear in most logs, but seldom among the lines that matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from opscrew.ci.explain import ExplainedLine, Explanation, surroundings
from opscrew.ci.signatures.catalog import Catalog, Signature, Verdict, catalog
from opscrew.redaction import redact

__all__ = ["Classification", "Verdict", "classify"]

NEAR_LINES = 12
"""How far apart two lines may be and still speak of the same thing: the length of a tool's usual error block."""

JUDGED_BELOW_BEST = 3.3
"""Lines whose score is this much below the best are shown to people and do not speak for a re-run. Without it 1.6 % of
the marked genuine failures were re-run, five times more than with it."""

MOST_EVIDENCE = 8
"""Lines of evidence that are kept: what a person reads at a glance."""


LONGEST_MESSAGE = 500
"""Characters kept of each line of the CI system's own message, as of each line of a log."""

STATED_SCORE = 1e6
"""What the CI system itself states outranks every line of the log."""


@dataclass(frozen=True, slots=True)
class Classification:
    """The verdict, the signature that decided ("" if none), and the lines that show it, best first."""

    verdict: Verdict
    signature: str
    confidence: float
    lines: tuple[ExplainedLine, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """A line and what it was recognised as."""

    line: ExplainedLine
    signature: Signature


def classify(explanation: Explanation, *, error_message: str = "", known: Catalog | None = None) -> Classification:
    """Judges the explaining lines together with ``error_message``, the step's own error where there is one.

    Order: what the CI system itself says fails again; then what the change did wrong; then trouble that stays;
    then what is left alone (a person or a deployment is involved); then trouble that passes. Else ``unknown``.
    ``known`` are the signatures to go by, by default the project's own.
    """
    lines = sorted((*explanation.lines, *explanation.nearly, *explanation.beside), key=lambda line: line.number)
    known = known or catalog()
    stated = matches_of(_as_lines(error_message), known)
    matches = [*stated, *matches_of(lines, known, explanation.command)]
    telling = _telling(explanation)
    blips = [
        match
        for match in matches
        if match.signature.verdict is Verdict.TRANSIENT and (match in stated or match.line in telling)
    ]
    lasting = [match for match in matches if match.signature.verdict is Verdict.INFRA_PERSISTENT]
    denials = [match for match in matches if _denies(match, blips + lasting)]
    for verdict, group in (
        (Verdict.INFRA_PERSISTENT, stated),
        (Verdict.GENUINE, denials),
        (Verdict.INFRA_PERSISTENT, lasting),
        (Verdict.UNKNOWN, denials),
        (Verdict.TRANSIENT, blips),
        (Verdict.GENUINE, matches),
    ):
        chosen = [match for match in group if match.signature.verdict is verdict]
        if chosen:
            return _decided(verdict, chosen)
    return Classification(Verdict.UNKNOWN, "", 0.0, explanation.lines[:MOST_EVIDENCE])


def _telling(explanation: Explanation) -> set[ExplainedLine]:
    """Lines that may speak for a re-run: scored nearly as well as the best one, or standing around it. What stands
    beyond them may still speak against it, but a word about the network in a line that is probably not the cause must
    not lead to a re-run."""
    best = max((line.score for line in explanation.lines), default=0.0)
    around = surroundings(sorted(explanation.lines, key=lambda line: -line.score)[:1])
    ranked = (*explanation.lines, *explanation.nearly)
    near = (line for line in ranked if line.score >= best - JUDGED_BELOW_BEST or line.number in around)
    return {*near, *explanation.beside}


def matches_of(lines: Sequence[ExplainedLine], known: Catalog, command: ExplainedLine | None = None) -> list[Match]:
    """Every signature of every line whose conditions hold, in the order of the log. ``command`` printed them."""
    found = []
    for position, line in enumerate(lines):
        candidates = known.candidates(line.text)
        if not candidates:
            continue
        around = _around(lines, position)
        is_local = known.local_address(_RESOLVER.sub("", line.text))
        found += [
            Match(line, signature)
            for signature in candidates
            if not (is_local and signature.verdict is Verdict.TRANSIENT and not signature.local)
            and _holds(signature, line.text, around, command.text if command else "")
        ]
    return found


def _holds(signature: Signature, text: str, around: str, command: str) -> bool:
    of_command = signature.command is not None and signature.command(command)
    return (
        (signature.also is None or signature.also(text))
        and (signature.unless is None or not signature.unless(text))
        and (signature.near is None or of_command or signature.near(around))
        and (signature.near_unless is None or not signature.near_unless(around))
    )


def _around(lines: Sequence[ExplainedLine], position: int) -> str:
    number = lines[position].number
    first = last = position
    while first > 0 and number - lines[first - 1].number <= NEAR_LINES:
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].number - number <= NEAR_LINES:
        last += 1
    return "\n".join(line.text for line in lines[first : last + 1])


def _denies(match: Match, troubles: list[Match]) -> bool:
    """A denial counts, unless it comes with trouble that leaves the same message behind.

    Tools print a heading over the cause as often as a complaint under it, so a little before counts as after.
    """
    if match.signature.verdict not in (Verdict.GENUINE, Verdict.UNKNOWN):
        return False
    if match.signature.consequence:
        return not any(trouble.line.number <= match.line.number + NEAR_LINES for trouble in troubles)
    return not any(trouble.signature.decisive and trouble.line.number <= match.line.number for trouble in troubles)


def _decided(verdict: Verdict, matches: list[Match]) -> Classification:
    """The best explaining line decides which signature is named; every line of the verdict is evidence."""
    best = max(matches, key=lambda match: (match.signature.confidence, match.line.score))
    ordered = sorted(matches, key=lambda match: (match.signature is not best.signature, -match.line.score))
    lines = tuple(dict.fromkeys(match.line for match in ordered))[:MOST_EVIDENCE]
    return Classification(verdict, best.signature.id, best.signature.confidence, lines)


def _as_lines(message: str) -> tuple[ExplainedLine, ...]:
    """The CI system's message as lines before the log: number 0, and more telling than any line of it."""
    texts = [text.strip()[:LONGEST_MESSAGE] for text in redact(message).splitlines()]
    return tuple(ExplainedLine(0, text, STATED_SCORE) for text in texts if text)


_RESOLVER = re2.compile(r"[0-9a-z.:\[\]]+:53\b")
"""A name server's address says nothing about where the wanted host is."""
