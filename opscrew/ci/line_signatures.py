"""Which lines of a log the catalogue of signatures knows by name.

The weights of the words were learnt from logs of failed tests and compilers. What seldom happens there, a memory limit
or an expired certificate, they may put below its own consequences; the catalogue knows it, and how surely.
"""

from __future__ import annotations

from collections.abc import Sequence

from opscrew.ci.signatures.catalog import Signature, Verdict, catalog

SURE = 0.9
"""From this confidence on a line that the catalogue knows is the first that a person should read."""

MOST_NAMED = 3
"""Named lines that are put first; the rest keep their places."""


def named_lines(texts: Sequence[str]) -> list[int]:
    """Positions of the lines that are known with confidence, the surest first, at most ``MOST_NAMED`` of them.

    Conditions on other lines are not looked at, so signatures that have some are left aside.
    """
    sure: list[tuple[float, int]] = []
    for position, text in enumerate(texts):
        confidence = max((one.confidence for one in catalog().candidates(text) if _names(one, text)), default=0.0)
        if confidence >= SURE:
            sure.append((-confidence, position))
    return [position for _, position in sorted(sure)[:MOST_NAMED]]


def _names(signature: Signature, text: str) -> bool:
    return (
        signature.verdict in (Verdict.GENUINE, Verdict.INFRA_PERSISTENT)
        and not signature.consequence
        and signature.near is None
        and signature.near_unless is None
        and (signature.also is None or bool(signature.also(text)))
        and not (signature.unless is not None and signature.unless(text))
    )
