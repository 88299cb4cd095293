"""Is this failure of a branch the one that was there before, or a new one? Pure, over the findings that tell of them.

A branch that fails for weeks may have failed for five reasons, one after the other; each is a finding of its own, with
its own start. Where a signature names an outside cause, the signature is the identity. What a change broke is known by
its lines: one signature ("tests failed") stands for any test, so the names in the lines are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from opscrew.model.evidence import Evidence
from opscrew.model.finding import Finding

FAMILY = "CI_FAILURE"
"""One failure keeps its identity while its code changes: a blip, then a re-run that failed, or that is impossible."""

NAMED_BY_SIGNATURE = ("transient", "infra_persistent")
"""Verdicts whose signature says what it was. The lines beside it differ from build to build."""

ALIKE = 0.5
"""Two failures are alike that share more than this of their names, or of their lines where there are no names."""

LONGEST = 160
"""Characters of names, or of the telling line, that are part of the identity."""

_CHANGING = re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{7,}\b|[0-9]+", re.IGNORECASE)
"""Hashes and numbers: times, durations, counts, ports, line numbers."""

_TOKEN = re.compile(r"[A-Za-z_$@][\w$@./:\\#-]*\w")
_INSIDE = re.compile(r"[a-z][A-Z]|[A-Za-z#][_./:\\-]+[A-Za-z#]")
"""What makes a word a name: a capital inside, or a mark between its parts."""

_KIND_OF_ERROR = re.compile(r"(Error|Exception|Failure|Failed|Warning):?$")
"""Says how something fails, not what: the same in a hundred different failures."""


def aspect_of(told: Finding) -> str:
    """What tells this failure from others of the same branch, in words: the step, the signature, and the names in its
    lines, or its telling line where they name nothing."""
    details = told.details
    parts = [str(details["step"]), str(details["signature"])]
    if not _is_named(told):
        names = " ".join(sorted(_names(_steady_text(told.evidence))))
        parts.append((names or _steady_text(told.evidence[:1]))[:LONGEST])
    return ": ".join(part for part in parts if part)


def is_same_failure(before: Finding, now: Finding) -> bool:
    """Whether ``now``, of the next failed build, tells of the failure that ``before`` told of."""
    if any(before.details[part] != now.details[part] for part in ("step", "signature")):
        return False
    return _is_named(now) or _are_alike(before.evidence, now.evidence)


def _is_named(told: Finding) -> bool:
    return bool(told.details["signature"]) and told.details["verdict"] in NAMED_BY_SIGNATURE


def _are_alike(before: Iterable[Evidence], now: Iterable[Evidence]) -> bool:
    old, new = _steady_text(before), _steady_text(now)
    if not old or not new:
        return old == new
    first, second = _names(old), _names(new)
    if not (first and second):
        first, second = set(old.splitlines()), set(new.splitlines())
    # One more test that fails beside the others makes no other failure of it.
    return first <= second or second <= first or len(first & second) > ALIKE * len(first | second)


def _steady_text(lines: Iterable[Evidence]) -> str:
    return "\n".join(_steady(line.text) for line in lines)


def _steady(text: str) -> str:
    """Without what differs between two runs of the same."""
    return " ".join(_CHANGING.sub("#", text).split())


def _names(text: str) -> set[str]:
    found = (token.rstrip(":") for token in _TOKEN.findall(text))
    return {token for token in found if _INSIDE.search(token) and not _KIND_OF_ERROR.search(token)}
