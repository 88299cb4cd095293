"""Which lines of a log the catalogue of signatures knows by name.

The weights of the words were learnt from logs of failed tests and compilers. What seldom happens there, a memory limit
or an expired certificate, they may put below its own consequences; the catalogue knows it, and how surely.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import re2

from opscrew.ci.judge.signatures.catalog import Signature, Verdict, catalog

SURE = 0.9
"""From this confidence on a line that the catalogue knows is the first that a person should read."""

MOST_NAMED = 3
"""Named lines that are put first; the rest keep their places."""

WARNING = re2.compile(r"(?i)\bwarn(?:ing)?\b")
"""A line that calls itself a warning did not end the step."""


def named_lines(texts: Sequence[str]) -> list[int]:
    """Positions of the lines that are known with confidence, at most ``MOST_NAMED`` of them: first what nothing else in
    the log can outweigh, then what the log says only once or twice, then the surest.

    Conditions on other lines are not looked at, so signatures that have some are left aside.
    """
    found = [[one for one in catalog().candidates(text) if _names(one, text)] for text in texts]
    passes = any(one.verdict is Verdict.TRANSIENT for names in found for one in names)
    known = {
        position: max(sure, key=lambda one: (one.decisive, one.confidence))
        for position, names in enumerate(found)
        if (sure := [one for one in names if _is_sure(one, passes)]) and not WARNING.search(texts[position])
    }
    times = Counter(signature.id for signature in known.values())

    def order(position: int) -> tuple[bool, bool, float, int]:
        one = known[position]
        return not one.decisive, times[one.id] > MOST_NAMED, -one.confidence, position

    return sorted(known, key=order)[:MOST_NAMED]


def _is_sure(signature: Signature, passes: bool) -> bool:
    """What a failed download leaves behind is not put above it, where the log tells of trouble that ``passes``."""
    return (
        signature.confidence >= SURE
        and signature.verdict in (Verdict.GENUINE, Verdict.INFRA_PERSISTENT)
        and not (signature.consequence and passes)
    )


def _names(signature: Signature, text: str) -> bool:
    return (
        signature.near is None
        and signature.near_unless is None
        and (signature.also is None or bool(signature.also(text)))
        and not (signature.unless is not None and signature.unless(text))
    )
