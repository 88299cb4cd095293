"""Finds numbers with their units in text, and tells whether two of them say the same.

"5 min", "300 s" and "5m0s" are one length of time; "1.5 GiB" and 1610612736 bytes one size; "12 %" and 0.12 one
share. A rounded number says the same as the exact one when rounding that one to the same digits gives it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from opscrew.answer.claims.words import SPOKEN, spoken_value, stem

SECONDS = {
    "ms": 0.001, "millisecond": 0.001, "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "d": 86_400, "day": 86_400, "w": 604_800, "week": 604_800,
}  # fmt: skip
BYTES = {
    "b": 1, "byte": 1, "kilobyte": 10**3, "megabyte": 10**6, "gigabyte": 10**9, "terabyte": 10**12,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40, "ki": 2**10, "mi": 2**20, "gi": 2**30, "ti": 2**40,
}  # fmt: skip
_UNIT = "|".join(sorted({*SECONDS, *BYTES}, key=len, reverse=True))
_EACH = r"(?:s|sec|second|min|minute|h|hour|d|day|week|month)"
"""What may follow a slash: "61 GiB/day"."""
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
QUANTITY = re.compile(
    rf"(?<![\w#.:/@-])(?P<sign>-)?(?P<money>[€$£]\s?)?(?:(?P<number>{_NUMBER})|(?P<word>{SPOKEN}(?!\w)))"
    rf"(?:\s?(?P<percent>%|percent\b|per cent\b)|(?:\s|-)?(?P<unit>(?:{_UNIT})s?)(?!\w|/(?!{_EACH}\b)))?"
    rf"(?![\w:@]|/(?!{_EACH}\b)|-\d|\.\d)",
    re.IGNORECASE,
)
_HOURS, _MINUTES = r"(\d+) ?(?:h|hours?|hrs?) ?(?:and )?", r"(\d+) ?(?:m|min|minutes?)"
COMPOUND = re.compile(
    rf"(?<![\w#.:/-])(?:{_HOURS})?{_MINUTES} ?(?:and )?(\d+(?:\.\d+)?) ?(?:s|sec|seconds?)\b"
    rf"|(?<![\w#.:/-]){_HOURS}{_MINUTES}\b",
    re.IGNORECASE,
)
ENDS_IN_COLON = re.compile(r"(\d):(?=\s|$)")
"""Of "pull request 1: stopped": no clock time goes on behind a blank. Replaced in place, so that places hold."""

FRACTION = re.compile(r"(?<![\w./:#-])(\d{1,5})/(\d{1,5})(?![\w/.-])")
NOUNS = re.compile(rf"(?: (?!{SPOKEN}\b)[A-Za-z][a-z]+(?:-[a-z]+)?){{1,5}}")
SHARED_UNIT = re.compile(r"\s(?:of|out of|to|and|or|from)\s(?:its |a |the )?(?:limit (?:of )?)?$")
""" "498 of 512 MiB": both numbers are MiB."""

BOUND_SHARE = 0.3
"""How far "more than 400" may lie from the true number: nobody says it of 4,000."""

SKIPPED = frozenset(
    [
        "the",
        "of",
        "in",
        "on",
        "at",
        "and",
        "or",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "been",
        "to",
        "for",
        "by",
        "with",
        "than",
        "more",
        "new",
        "old",
        "other",
        "latest",
        "last",
    ]
)


TIMES = ("tim",)


@dataclass(frozen=True)
class Quantity:
    """``value`` in the base unit of ``kind``: seconds, bytes, percent, money or count. ``step`` is the size of the
    last digit that was written, in the same unit. ``nouns`` are the stems of the words that follow a count."""

    value: float
    kind: str
    step: float
    text: str
    start: int
    nouns: tuple[str, ...] = ()
    scale: float = 1.0
    """What the written number was multiplied with."""
    whole: float | None = None
    """5 for the first of "3 of 5 replicas are late", which counts what is late and not the replicas."""


def quantities(text: str) -> list[Quantity]:
    """In order. Parts of names, clock times, dates, versions and addresses are none; "0/41" are two."""
    text = ENDS_IN_COLON.sub(r"\1 ", FRACTION.sub(r"\1 \2", text))
    found = [_compound(match) for match in COMPOUND.finditer(text)]
    taken = [(one.start, one.start + len(one.text)) for one in found]
    for match in QUANTITY.finditer(text):
        if not any(start <= match.start() < end for start, end in taken):
            found.append(_quantity(match, text))
    found.sort(key=lambda one: one.start)
    shared = [_with_unit(one, found[place + 1 : place + 2], text) for place, one in enumerate(found)]
    # Of "3 of 120 tests failed" the 120 counts tests, and not what failed.
    wholes = {place + 1 for place, one in enumerate(shared) if one.whole is not None}
    return [replace(one, nouns=one.nouns[:1]) if place in wholes else one for place, one in enumerate(shared)]


def bounds(said: Quantity, seen: Quantity, direction: int) -> bool:
    """Whether "more than 400" (direction 1) or "less than 450" (-1) is true of ``seen``, and near enough to mean it."""
    for value in _readings(said, seen, exactly=True):
        if said.value * direction <= value * direction and abs(value - said.value) <= BOUND_SHARE * abs(value):
            return True
    return False


def says_the_same(said: Quantity, seen: Quantity, tolerance: float = 0.0) -> bool:
    """``said`` may be a rounding of ``seen``; ``tolerance`` is a share of it that is allowed on top."""
    for value in _readings(said, seen, exactly=not tolerance):
        gap = abs(said.value - value)
        if gap <= 1e-9 * max(1.0, abs(value)) or (tolerance and gap <= tolerance * abs(value)):
            return True
        # Rounding applies to measures; a count that is off by one is wrong.
        may_round = said.kind != "count" or said.step < 1 or value != int(value)
        is_small = said.step < max(abs(said.value), 1e-9) * 1.01
        if may_round and is_small and gap <= said.step / 2 * (1 + 1e-9):
            return True
    return False


def _readings(said: Quantity, seen: Quantity, *, exactly: bool) -> Iterator[float]:
    if said.kind == seen.kind:
        yield seen.value
        if said.kind == "bytes" and exactly:  # people write GB and mean GiB, and the other way round
            for power in (1, 2, 3, 4):
                factor = (1024 / 1000) ** power
                yield from (seen.value * factor, seen.value / factor) if _same_size(said, seen, power) else ()
    elif said.kind == "percent" and seen.kind == "count" and seen.step < 1:
        yield seen.value * 100
    elif seen.kind == "count" and said.kind in ("bytes", "money") and not seen.nouns:
        yield seen.value


def _same_size(said: Quantity, seen: Quantity, power: int) -> bool:
    """Only one of both kinds of prefixes was written, and it is this one."""
    return bool(1000.0**power <= max(said.value, seen.value) < 1100 * 1000.0**power)


def _with_unit(one: Quantity, following: Sequence[Quantity], text: str) -> Quantity:
    """What two numbers share stands behind the second: "498 of 512 MiB", "3 of 5 replicas"."""
    if one.kind != "count" or not following:
        return one
    if not SHARED_UNIT.fullmatch(text[one.start + len(one.text) : following[0].start]):
        return one
    if following[0].kind == "count":
        return replace(one, nouns=following[0].nouns, whole=following[0].value)
    size = following[0].scale
    return replace(one, value=one.value * size, step=one.step * size, kind=following[0].kind, nouns=(), scale=size)


def _compound(match: re.Match[str]) -> Quantity:
    hours, minutes, seconds, hours_only, minutes_only = match.groups()
    if minutes is not None:
        value = int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
        return Quantity(value, "seconds", 1, match[0], match.start())
    return Quantity(int(hours_only) * 3600 + int(minutes_only) * 60, "seconds", 60, match[0], match.start())


def _quantity(match: re.Match[str], text: str) -> Quantity:
    number, word = match["number"], match["word"]
    value = float(number.replace(",", "")) if number else spoken_value(word)
    step = 10.0 ** -len(number.partition(".")[2]) if number else 1.0
    if match["sign"]:
        value = -value
    unit = (match["unit"] or "").lower()
    if match["percent"]:
        return Quantity(value, "percent", step, match[0], match.start())
    if match["money"]:
        return Quantity(value, "money", step, match[0], match.start())
    for kind, units in (("seconds", SECONDS), ("bytes", BYTES)):
        size = units.get(unit) or units.get(unit.removesuffix("s"))
        if unit and size:
            return Quantity(value * size, kind, step * size, match[0], match.start(), scale=size)
    nouns = _nouns(text[match.end() :])
    if nouns[:1] == TIMES:  # "failed 48 times"
        nouns = (*nouns, *map(stem, re.findall(r"[a-z]+", text[: match.start()].lower())[-1:]))
    return Quantity(value, "count", step, match[0], match.start(), nouns)


def _nouns(after: str) -> tuple[str, ...]:
    match = NOUNS.match(after)
    words = re.findall(r"[a-z]+", match[0].lower()) if match else []
    return tuple(stem(word) for word in words if word not in SKIPPED)
