"""Whether a value that stands where a secret may stand is one, judged by how it looks.

Placeholders and the words that are said of secrets are data (``redaction.yaml``), since they tell a reader more than a
mask does: a value that the CI system has masked already, the name of a variable, code that computes the value.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise

import re2

SHORTEST = 4
"""Characters. What is shorter stands for itself: a flag, a count, a grade."""
SHORTEST_RANDOM, SHORTEST_LONG = 6, 16
LEAST_BITS = 3.0
"""Entropy of a character, from which a long value is no name: words and versions have less."""

_UNIT = r"(?:[kKMGTP]i?[bB]?|[bB]|bytes|[nmu]?s|min|[mhdx%]|px)"
_NUMBER = re2.compile(rf"[+-]?[0-9]{{1,5}}|[0-9]+(?:[.,_][0-9]+)*(?:{_UNIT}|/[a-z]+)|[0-9]{{1,3}}(?:[.,_][0-9]+)+")
_TYPE = re2.compile(
    r"(?:[A-Z][a-z]+)?(?:String|Str|Secret|Token|Password|Bytes?|Any|Optional|Literal|Option)(?:\[.*|<.*)?\??"
)
_NAME = re2.compile(
    r"[A-Za-z]+(?:[ _.:/-]+[A-Za-z]+)*[.!?]?|[a-z]{1,5}[0-9]{1,3}|v?[0-9]+(?:\.[0-9]+)+[\w.+-]*|[0-9:T./-]+Z?"
)
_CAMEL = re2.compile(r"_?[a-zA-Z]?[a-z]+(?:[A-Z][a-z]{2,})+[A-Z]*")
_PORT = re2.compile(r"[0-9]{1,5}(?:[/?#].*)?")
_DENSE = re2.compile(r"[^\s()/<>{}]{8,}|[A-Za-z0-9+/]{16,}={0,2}")
_HEX = re2.compile(r"[0-9a-f-]*[a-f][0-9a-f-]*[0-9][0-9a-f-]{14,}|[0-9a-f-]*[0-9][0-9a-f-]*[a-f][0-9a-f-]{14,}")
_TRAILING = "\"'`.,;:)]}>"


class Values:
    """Judges by the placeholders and words of one file."""

    def __init__(self, everywhere: Iterable[str], elsewhere: Iterable[str], words: Iterable[str]) -> None:
        """``everywhere`` are placeholders of any place, ``elsewhere`` those where a value may also be none."""
        always = list(everywhere)
        self._placeholder = re2.compile(_any_of(always))
        self._no_value = re2.compile(_any_of([*always, *elsewhere]))
        self._words = frozenset(words)
        self._looks: Mapping[str, Callable[[str], bool]] = {
            "any": lambda value: True,
            "given": self._is_given,
            "random": self._is_random,
            "dense": self._is_dense,
            "long": self._is_long,
            "url_password": lambda value: not _PORT.fullmatch(value),
        }

    def is_secret(self, value: str, look: str) -> bool:
        """``look`` is one of those that ``redaction.yaml`` explains; KeyError for another one."""
        value = value.strip()
        placeholder = self._placeholder if look == "any" else self._no_value
        if placeholder.fullmatch(value) or placeholder.fullmatch(value.rstrip(_TRAILING)):
            return False
        return self._looks[look](value)

    def _is_given(self, value: str) -> bool:
        core = value.rstrip(_TRAILING)
        if len(core) < SHORTEST or _NUMBER.fullmatch(core) or _TYPE.fullmatch(core):
            return False
        # Several words are a passphrase, or prose about one.
        return not any(word.lower().rstrip(_TRAILING) in self._words for word in core.split())

    def _is_random(self, value: str) -> bool:
        core = value.rstrip(_TRAILING)
        return len(core) >= SHORTEST_RANDOM and self._is_given(core) and not self._is_name(core)

    def _is_dense(self, value: str) -> bool:
        core = value.rstrip(_TRAILING)
        return (
            self._is_random(core) and bool(_DENSE.fullmatch(core)) and (_is_mixed(core) or bool(_HEX.fullmatch(core)))
        )

    def _is_long(self, value: str) -> bool:
        core = value.rstrip(_TRAILING)
        if len(core) < SHORTEST_LONG or not self._is_random(core) or _bits(core) < LEAST_BITS:
            return False
        return "-" not in core or bool(_HEX.fullmatch(core)) or _is_mixed(core)

    def _is_name(self, core: str) -> bool:
        """Words, versions, times: what people and programs write in their place."""
        return bool(_CAMEL.fullmatch(core)) or (bool(_NAME.fullmatch(core)) and not _has_inner_capitals(core))


def _any_of(patterns: Iterable[str]) -> str:
    return "|".join(f"(?:{one})" for one in patterns)


def _has_inner_capitals(text: str) -> bool:
    """Letters of either case mixed as in no name: more than two changes from small to capital."""
    changes = sum(1 for before, after in pairwise(text) if before.islower() and after.isupper())
    return changes > 2


def _is_mixed(text: str) -> bool:
    return any(sign.isdigit() for sign in text) and any(map(str.islower, text)) and any(map(str.isupper, text))


def _bits(text: str) -> float:
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
