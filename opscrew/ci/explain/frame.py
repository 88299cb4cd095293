"""Which lines of a log are the CI system's own, which repeat a command, and which are what the command said.

A CI system prints the same setup and teardown around every script, and nobody's failure is explained by it. Some of it
is free text, such as the subject of the commit that is checked out. frame.yaml holds the wording; this module owns how
it is applied. Two rules keep a program from hiding an error by what it prints: a line is left out because of its own
words only, and wording that a program may use as well counts at the two ends of a log alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Any

import re2
from pydantic import BaseModel, ConfigDict

from opscrew.ci.explain.frame_echoes import echo_length
from opscrew.ci.explain.line_search import lines_found
from opscrew.strict_yaml import load_strictly

FRAME_FILE = Path(__file__).with_name("frame.yaml")

LONGEST_BLOCK = 450
"""Lines between the first and the last line of a block. Travis describes its machine in up to 408."""

MEMORY_BYTES = 32 << 20

Meaning = frozenset[tuple[str, int]]
"""Everything that a line may be: parts of frame.yaml, each with the number of its entry there."""

NOTHING: Meaning = frozenset()
ANYWHERE, ECHO, CLOSING = ("anywhere", 0), ("echo", 0), ("teardown", 0)


TELLS_ERROR = re2.compile(
    r"(?i)^\W*(?:\w+ )?(?:error|fatal|failed|failure|exception|panic|traceback)\b|\b(?:error|fatal|failed|exception): "
    r"|connection re|no space left|exceeded|timed out|killed|denied"
)
"""A block in which a line says so was printed by something else than the CI system, which describes a machine there."""


class Role(IntEnum):
    """What a line is. Only ``OUTPUT`` is evidence."""

    OUTPUT = 0
    ECHO = 1
    FRAME = 2


@dataclass(frozen=True, slots=True)
class Framed:
    """The role of each line, and where the output begins and ends.

    Before ``begin`` and from ``end`` on there are only frame lines, blank ones and the echoes of commands that printed
    nothing, so the lines between say the same with a frame and without one.
    """

    roles: list[Role]
    begin: int
    end: int


class Lines(BaseModel):
    """One entry of ``anywhere``: expressions for lines of one kind, with examples that a test holds them to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    lines: tuple[str, ...]
    examples: tuple[str, ...]


class Listed(BaseModel):
    """A heading and its items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    heading: str
    item: str


class Block(BaseModel):
    """The first and the last line of a block."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    first: str
    last: str


class FrameWords(BaseModel):
    """frame.yaml as a whole."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    anywhere: tuple[Lines, ...]
    lists: tuple[Listed, ...]
    blocks: tuple[Block, ...]
    teardown: tuple[str, ...]
    echoes: tuple[str, ...]


class Frame:
    """The wording, compiled: one search finds the lines that mean something here, and one automaton says of each of
    them everything that it may be."""

    def __init__(self, words: FrameWords) -> None:
        self.words = words
        self._automaton = re2.Set.FullMatchSet()
        self._expressions: list[str] = []
        self._meanings: list[tuple[str, int]] = []
        for kind in words.anywhere:
            self._add("anywhere", 0, kind.lines)
        for number, listed in enumerate(words.lists):
            self._add("heading", number, (listed.heading,))
            self._add("item", number, (listed.item,))
        for number, block in enumerate(words.blocks):
            self._add("first", number, (block.first,))
            self._add("last", number, (block.last,))
        self._add("teardown", 0, words.teardown)
        self._add("echo", 0, words.echoes)
        self._automaton.Compile()
        any_of_them = "|".join(f"(?:{expression})" for expression in self._expressions)
        self._any = re2.compile(f"(?m)^(?:{any_of_them})$".encode(), _options())

    def apply(self, texts: Sequence[str]) -> Framed:
        """The roles of cleaned lines that follow each other, from the beginning of a log to its end."""
        means = [NOTHING] * len(texts)
        for index in lines_found(self._any, "\n".join(texts).encode()):
            means[index] = frozenset(self._meanings[hit] for hit in self._automaton.Match(texts[index]) or ())
        roles = self._roles(texts, means)
        end = self._end(texts, means, roles)
        return Framed(roles, min(self._begin(texts, means, roles), end), end)

    def _add(self, meaning: str, number: int, expressions: Sequence[str]) -> None:
        for expression in expressions:
            self._automaton.Add(expression)
            self._expressions.append(expression)
            self._meanings.append((meaning, number))

    def _roles(self, texts: Sequence[str], means: list[Meaning]) -> list[Role]:
        roles = [Role.OUTPUT] * len(texts)
        for index in [place for place, meaning in enumerate(means) if meaning]:
            meaning = means[index]
            if roles[index] is not Role.OUTPUT:
                continue
            if ANYWHERE in meaning:
                roles[index] = Role.FRAME
            elif ECHO in meaning:
                length = echo_length(texts, index)
                roles[index : index + length] = [Role.ECHO] * length
            for number in [number for name, number in meaning if name == "heading"]:
                following = _run(means, index + 1, ("item", number))
                roles[index : index + 1 + following] = [Role.FRAME] * (1 + following)
        return roles

    def _begin(self, texts: Sequence[str], means: list[Meaning], roles: list[Role]) -> int:
        """Behind the setup and the echoes of the first command. Blocks count only here."""
        index = 0
        while index < len(texts):
            block = _block_length(means, index)
            if block and not any(TELLS_ERROR.search(text) for text in texts[index : index + block]):
                roles[index : index + block] = [Role.FRAME] * block
                index += block
                continue
            if roles[index] is Role.OUTPUT and texts[index].strip():
                break
            index += 1
        return index

    def _end(self, texts: Sequence[str], means: list[Meaning], roles: list[Role]) -> int:
        """Where the closing run of frame lines begins. Common wording counts below a line of the frame's own."""
        end = index = len(texts)
        while index and (roles[index - 1] is Role.FRAME or not texts[index - 1].strip() or CLOSING in means[index - 1]):
            index -= 1
            if roles[index] is Role.FRAME:
                end = index
        for place in range(end, len(texts)):
            roles[place] = Role.FRAME
        while end and (not texts[end - 1].strip()):
            end -= 1
        return end


def _run(means: list[Meaning], start: int, meaning: tuple[str, int]) -> int:
    """How many lines from ``start`` on mean this without a gap."""
    index = start
    while index < len(means) and meaning in means[index]:
        index += 1
    return index - start


def _block_length(means: list[Meaning], start: int) -> int:
    """The lines of a block that begins here; 0 where none does, or where its last line does not follow soon enough."""
    number = next((number for name, number in means[start] if name == "first"), None)
    if number is None:
        return 0
    for index in range(start + 1, min(len(means), start + LONGEST_BLOCK)):
        if ("last", number) in means[index]:
            return index + 1 - start
    return 0


def _options() -> Any:
    """So that no expression reaches over the end of its line, that no time goes into groups which nobody reads, and
    that the automaton need not forget what it has built."""
    options = re2.Options()
    options.never_nl = True
    options.never_capture = True
    options.max_mem = MEMORY_BYTES
    return options


@cache
def frame() -> Frame:
    """The project's own wording, read once."""
    return Frame(load_strictly(FRAME_FILE, FrameWords))
