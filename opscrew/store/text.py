"""Makes text and values that came from outside fit to be stored and shown.

Everything that the ledger, the journal and the audit log write goes through here: secrets out, length capped, and no
control characters, which PostgreSQL refuses (NUL) and which a terminal would obey (escape sequences in a log line).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from opscrew.model.evidence import Evidence
from opscrew.redaction import redact

LONGEST_LINE = 500
"""Characters of one evidence line; the same cap as the explained lines of a log."""

LONGEST_SENTENCE = 2_000
"""Characters of a cause, a reason, an outcome."""

MOST_EVIDENCE = 60
"""Evidence lines of one finding or action: as many as a log explanation may have."""

MOST_ITEMS = 100
"""Entries of one list or mapping inside ``details``."""

DEEPEST = 6
"""Levels of nesting inside ``details``."""

# Everything below a space except tab and line feed, DEL, the C1 range, marks that turn the direction of what follows,
# and halves of surrogate pairs.
_UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


# The same lines come back with every observation of a lasting problem; redacting them anew each time would dominate.
@lru_cache(maxsize=20_000)
def storable(text: str, longest: int = LONGEST_LINE) -> str:
    """``text`` without secrets and control characters, at most ``longest`` characters, cut visibly."""
    # Cut roughly first, so that a line of 50 MB costs nothing, but leave room for a secret that crosses the cut.
    clean = redact(_UNSTORABLE.sub(" ", text[: longest * 2]))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def storable_value(value: Any, depth: int = 0) -> Any:
    """A plain JSON value like ``value``: strings as ``storable``, foreign types as text, sizes and nesting capped."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if abs(value) < float("inf") else str(value)  # NaN and infinity are no JSON
    if isinstance(value, str):
        return storable(value, LONGEST_SENTENCE)
    if depth >= DEEPEST:
        return "…"
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ITEMS]
        return {storable(str(key)): storable_value(inner, depth + 1) for key, inner in pairs}
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        return [storable_value(inner, depth + 1) for inner in list(value)[:MOST_ITEMS]]
    return storable(str(value), LONGEST_SENTENCE)


def storable_evidence(lines: Iterable[Evidence]) -> list[dict[str, str]]:
    """Evidence as JSON, in order; ``evidence_from`` reads it back."""
    return [
        {
            "source": storable(line.source),
            "text": storable(line.text),
            "observed_at": line.observed_at.isoformat(),
            "link": storable(line.link, LONGEST_SENTENCE),
        }
        for line in list(lines)[:MOST_EVIDENCE]
    ]


def evidence_from(stored: Iterable[Mapping[str, str]]) -> tuple[Evidence, ...]:
    """The inverse of ``storable_evidence``."""
    return tuple(Evidence.model_validate(line) for line in stored)
