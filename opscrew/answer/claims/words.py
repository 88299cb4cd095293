"""Words and what is at the bottom of them: numbers ("forty-eight", "two dozen", "only one") and stems."""

from __future__ import annotations

import re

WORDS = {
    "zero": 0, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17,
    "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
""" "one" is left out: alone it is seldom a count ("one of them")."""

PARTS = {**WORDS, "a": 1, "an": 1, "one": 1, "single": 1, "dozen": 12, "hundred": 100, "thousand": 1000}
GREAT = ("dozen", "hundred", "thousand")

_DIGIT = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_TENS = rf"(?:(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[- ]{_DIGIT}\b)?)"
_SMALL = rf"(?:{_TENS}|{'|'.join(WORDS)})"
SPOKEN = (
    rf"(?:(?:half a|an?|one|{_SMALL}) (?:dozen|hundred|thousand)(?: and (?:{_SMALL}|one))?|dozen|{_SMALL}"
    r"|(?:only|just|exactly) one|a single)"
)
"""A regular expression, without groups. "A couple" and "dozens of" are left out: nobody means a number by them."""


def spoken_value(text: str) -> float:
    """Of what ``SPOKEN`` matches, in any case."""
    words = [word for word in re.split(r"[\s-]+", text.lower()) if word in PARTS]
    value = 0.0
    for word in words:
        value = (value or 1) * PARTS[word] if word in GREAT else value + PARTS[word]
    if text.lower().startswith("half"):
        return value / 2
    return value - 1 if text.lower().startswith(("a single",)) else value


def stem(word: str) -> str:
    """ "builds", "build"; "failed", "failing", "failures"; "passed": the first letters are enough here."""
    for ending in ("ures", "ure", "ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
