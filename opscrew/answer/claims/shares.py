"""Finds shares that are written as words ("half of the builds", "one in five", "twice as many"), and tells whether the
numbers of a fact come to them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from opscrew.answer.claims.language import state_stems
from opscrew.answer.claims.numbers import Quantity
from opscrew.answer.claims.words import SPOKEN, spoken_value

PARTS = {
    "half": 2, "halve": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10,
}  # fmt: skip
NEAR = 0.035
"""How far a share in words may lie from the true one: nobody says "a third" of 40 %."""

NEAR_MULTIPLE = 0.1
"""The same for "twice as many", as a share of it."""

_COUNT = rf"(?:{SPOKEN}|one|an?|\d{{1,2}})"
_PART = rf"(?:{'|'.join(PARTS)})s?"
_OF = r"(?= of\b|\s*[.,;!?)]|\s*$| (?:full|empty|used|free)\b)"
_OF_ALL = r"(?= (?:of |full\b|empty\b|the (?!time\b)|its |our |all |them\b|these ))"
_NO_TIME = r"(?! (?:seconds|minutes|hours|days|weeks))"
SHARES = (
    re.compile(rf"\b(?P<count>{_COUNT})-(?P<part>{_PART})\b", re.IGNORECASE),
    re.compile(rf"\b(?P<count>{_COUNT}) (?P<part>{_PART})\b{_OF}", re.IGNORECASE),
    re.compile(rf"\b(?P<part>half){_OF_ALL}", re.IGNORECASE),
    re.compile(rf"\b(?P<count>{_COUNT}) in (?:every )?(?P<whole>{SPOKEN}|\d{{1,2}})\b{_NO_TIME}", re.IGNORECASE),
)
MULTIPLE = re.compile(rf"\b(?:(?P<twice>twice|double)|(?P<times>{SPOKEN}|\d+) times) (?:as|more)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Share:
    """``value`` of a whole, or how many times as many where ``is_multiple``."""

    value: float
    text: str
    is_multiple: bool = False


def shares_in(text: str) -> tuple[list[Share], str]:
    """In words, and the text without them, so that the "five" of "one in five" is no number of its own."""
    found: list[Share] = []
    for pattern in SHARES:
        for match in pattern.finditer(text):
            found.append(Share(_value(match.groupdict()), match[0]))
        text = pattern.sub(lambda match: " " * len(match[0]), text)
    for match in MULTIPLE.finditer(text):
        found.append(Share(_number(match["times"] or "two"), match[0], is_multiple=True))
    return found, MULTIPLE.sub(lambda match: " " * len(match[0]), text)


def is_borne_out(share: Share, numbers: Sequence[Quantity]) -> bool:
    """Whether the numbers of one fact come to it."""
    if share.is_multiple:
        pairs = combinations([one.value for one in numbers if one.value > 0], 2)
        return any(abs(max(pair) / min(pair) - share.value) <= NEAR_MULTIPLE * share.value for pair in pairs)
    return any(abs(seen - share.value) <= NEAR for seen in _shares_of(numbers))


def _shares_of(numbers: Sequence[Quantity]) -> Iterator[float]:
    """Percentages; "3 of 5"; "17 builds, 12 passed"; and of "12 failed, 48 passed" each beside their sum."""
    for one in numbers:
        if one.kind == "percent":
            yield one.value / 100
        if one.kind == "count" and one.step < 1 and 0 < one.value < 1:
            yield one.value
        if one.whole:
            yield one.value / one.whole
    for first, second in combinations([one for one in numbers if one.kind == "count" and one.value >= 0], 2):
        states = [set(one.nouns) & state_stems() for one in (first, second)]
        if states[1] and first.value >= second.value and first.value:
            yield second.value / first.value
        if all(states) and states[0] != states[1] and first.value + second.value:
            total = first.value + second.value
            yield from (first.value / total, second.value / total)


def _value(found: dict[str, str | None]) -> float:
    count = _number(found.get("count") or "one")
    if found.get("whole"):
        whole = _number(found["whole"] or "")
        return count / whole if whole else 0.0
    part = (found["part"] or "").lower()
    return count / (PARTS.get(part) or PARTS[part.removesuffix("s")])


def _number(word: str) -> float:
    low = word.lower()
    if low in ("a", "an", "one"):
        return 1.0
    return float(low) if low.isdigit() else spoken_value(low)
