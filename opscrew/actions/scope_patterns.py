"""Scope patterns of the policy: how much of a scope a pattern fixes, and whether it can fit any scope there is.

The syntax is that of ``fnmatch``: ``*`` any text, ``?`` any character, ``[abc]`` and ``[!abc]`` one of a set, and every
other character itself. ``*`` does not stop at a slash.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

_TOKEN = re.compile(r"\[(?P<negated>!?)(?P<set>\][^\]]*|[^\]]+)\]|(?P<other>.)", re.DOTALL)

ANY_PLACE = "\0"
"""Stands for a place of which nothing is known."""

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")

CHARACTERS = {"namespace": _LETTERS}
"""What names consist of, by the part of a scope; a name of any other part may also hold dots and underscores."""


@dataclass(frozen=True)
class _Piece:
    """One character that ``members`` holds (or does not hold, when negated); with ``repeats`` any number of them."""

    members: frozenset[str]
    negated: bool = False
    repeats: bool = False

    def takes(self, name: _Piece) -> bool:
        """Whether there is a character that both take. Those of names are never negated."""
        return bool(name.members - self.members if self.negated else name.members & self.members)


_ANY = _Piece(frozenset(), negated=True)
_ANY_TEXT = _Piece(frozenset(), negated=True, repeats=True)
_SLASH = _Piece(frozenset("/"))


def is_exact(pattern: str) -> bool:
    """Whether it holds no wildcard."""
    return "[" not in pattern and all(len(piece.members) == 1 for piece in _pieces(pattern))


def fixed(pattern: str) -> Fraction:
    """How many characters a pattern fixes: one for each it spells out, and for a set as much as it narrows: half a
    character for ``[ab]``, nothing for ``?`` and ``[!a]``."""
    sizes = (len(piece.members) for piece in _pieces(pattern) if not piece.negated and piece.members)
    return sum((Fraction(1, size) for size in sizes), Fraction())


def can_fit(pattern: str, place: str, parts: Sequence[str]) -> bool:
    """Whether the pattern fits any scope of such ``parts`` ("cluster", "namespace"), the first of them ``place``."""
    scope: list[_Piece] = []
    for number, part in enumerate(parts):
        known = number == 0 and place != ANY_PLACE
        scope += [_SLASH] if number else []
        scope += [_Piece(frozenset(sign)) for sign in place] if known else _name(part)
    return _meet(_pieces(pattern), tuple(scope))


def _name(part: str) -> list[_Piece]:
    characters = CHARACTERS.get(part, _LETTERS | frozenset("._"))
    return [_Piece(characters), _Piece(characters, repeats=True)]


def _meet(one: Sequence[_Piece], other: Sequence[_Piece]) -> bool:
    """Whether a text exists that both sequences fit: walked over all pairs of positions, so no pattern takes long."""
    todo, seen = [(0, 0)], {(0, 0)}
    while todo:
        here, there = todo.pop()
        if (here, there) == (len(one), len(other)):
            return True
        for step in _steps(one, other, here, there):
            if step not in seen:
                seen.add(step)
                todo.append(step)
    return False


def _steps(one: Sequence[_Piece], other: Sequence[_Piece], here: int, there: int) -> Collection[tuple[int, int]]:
    mine = one[here] if here < len(one) else None
    theirs = other[there] if there < len(other) else None
    steps = []
    if mine and mine.repeats:
        steps.append((here + 1, there))
    if theirs and theirs.repeats:
        steps.append((here, there + 1))
    if mine and theirs and mine.takes(theirs):
        steps.append((here if mine.repeats else here + 1, there if theirs.repeats else there + 1))
    return steps


@cache
def _pieces(pattern: str) -> tuple[_Piece, ...]:
    return tuple(_piece(match) for match in _TOKEN.finditer(pattern))


def _piece(match: re.Match[str]) -> _Piece:
    other = match["other"]
    if other is not None:
        return {"*": _ANY_TEXT, "?": _ANY}.get(other, _Piece(frozenset(other)))
    return _Piece(_members(match["set"]), negated=bool(match["negated"]))


def _members(text: str) -> frozenset[str]:
    """The characters of a set; "a-c" is a range, and one that runs backwards holds nothing."""
    members: set[str] = set()
    position = 0
    while position < len(text):
        if text[position + 1 : position + 2] == "-" and position + 2 < len(text):
            members |= set(map(chr, range(ord(text[position]), ord(text[position + 2]) + 1)))
            position += 3
        else:
            members.add(text[position])
            position += 1
    return frozenset(members)
