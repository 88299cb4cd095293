"""A log's lines as text: reads the log once in bounded memory and keeps the lines worth a closer look.

A log of a few thousand lines is kept whole. Of a longer one the end is kept, where steps fail, and around every rare
line that looks like an error, or that a passing run never printed. Everything else is only counted. What the CI system
prints before and after the script (frame.py) is left out before anything is chosen, so that the same script gives the
same lines with it and without it.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import re2

from opscrew.ci.explain.frame import Role, frame
from opscrew.ci.explain.line_search import lines_found

LONGEST_LINE = 500
"""Characters of a line that are judged and shown: enough for any message, too few to flood a report."""

BLOCK_BYTES = 1 << 18
RAW_LINE_BYTES = 4 * LONGEST_LINE
"""Bytes kept of a line before cleaning; colours and progress bars can make a short line long."""

FEW_LINES = BLOCK_BYTES // RAW_LINE_BYTES
"""A block of no more lines than this holds long ones, which are shortened at once: many of them would fill memory."""

TAIL_LINES = 3600
"""The last lines are kept whatever they say: nearly all failures are told within them."""

SETUP_LINES = 600
"""Lines of the beginning in which the end of the setup is looked for; the longest seen has 150."""

TEARDOWN_LINES = 200
"""Lines of the end in which the teardown is looked for."""

CANDIDATES = 250
"""Error-like places kept before the tail. With their surroundings they are fewer than the tail again."""

LINES_BEFORE, LINES_AFTER = 4, 16
"""Surroundings of an error-like line: a heading above it, a stack trace below it."""

SAME_TEXT_AT_MOST = 3
"""How often a candidate may come back, digits apart. What is said more often is a habit, not the failure."""

TEXTS_REMEMBERED = 20_000
PASSING_LINES_REMEMBERED = 400_000
"""Bounds of the two memories; together they stay below 50 MB."""

HEX_DIGITS = b"0123456789abcdef"

ERROR_LIKE = re2.compile(
    rb"(?i:error|fail|exception|traceback|fatal|panic|abort|assert|segmentation|denied|refused|cannot|could not|"
    rb"unable to|timed out|timeout|not found|no such|undefined|unexpected|not ok|sanitizer|killed)[^\n]*"
)

ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][A-Z0-9]|[=>78cDEHM])?")
CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r\x1b"))
HIDDEN = re.compile("[\x80-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters beyond ASCII, and those that turn the direction of writing: a log must not be able to show a
person another text than it holds."""

RED = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:31|91)(?:;[0-9;]*)?m")
TIMESTAMP = re.compile(
    r"^(?:\[?(?:[a-z]{2,12} )?(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(?:[.,]\d+)?"
    r"(?:Z|[+-]\d\d:?\d\d)?(?:\]|\b)(?:\s|$)){1,2}"
)
"""Up to two of them: the CI system's, at times with the name of its part, and the program's own."""

GITHUB_COLUMNS = re.compile(r"[^\t]{1,200}\t[^\t]{1,200}\t\ufeff?(?=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z )")
"""`gh run view --log` puts the job's and the step's name before the time."""

FIRST_OF_TIMESTAMP = frozenset("[012")


@dataclass(frozen=True, slots=True)
class LogLines:
    """The kept lines in their order, without the frame at both ends of the log.

    ``numbers`` count from 1 at each line feed, ``texts`` are cleaned and capped but not yet redacted, ``unseen`` says
    of each line whether a passing log lacks it (all False without one), ``red`` whether its program coloured it red,
    ``roles`` whether it is output, an echoed command, or a frame line in the middle.
    ``total`` counts every line of the log, ``before`` and ``after`` those of the frame at its ends. ``first_command``
    is the last echo among the lines before, with its number: the command that printed the first kept line. ``is_empty``
    says that the whole log has nothing to be seen.
    """

    numbers: list[int]
    texts: list[str]
    unseen: list[bool]
    red: list[bool]
    roles: list[Role]
    total: int
    before: int
    after: int
    first_command: tuple[int, str] | None
    is_empty: bool

    @property
    def length(self) -> int:
        """Lines of the log without the frame at its ends."""
        return self.total - self.before - self.after


def read_lines(log: BinaryIO, passing: BinaryIO | None = None) -> LogLines:
    """Reads ``log`` to its end, and ``passing`` before it where there is one."""
    seen = _keys(passing) if passing is not None else None
    blocks = _blocks(log)
    head, before, command = _setup_of(blocks)
    kept = _Kept(seen, before)
    kept.add(head[before:])
    for lines in blocks:
        kept.add(lines)
    after = kept.leave_out_teardown()
    numbers, raw = kept.lines()
    unseen = [False] * len(raw) if seen is None else [bool(line.strip()) and _key(line) not in seen for line in raw]
    texts = clean(raw)
    red = set(lines_found(RED, b"\n".join(raw)))
    return LogLines(
        numbers=numbers,
        texts=texts,
        unseen=unseen,
        red=[index in red for index in range(len(raw))],
        roles=frame().apply(texts).roles,
        total=kept.total,
        before=before,
        after=after,
        first_command=command,
        is_empty=not any(texts) and not any(line.strip() for line in head),
    )


def _setup_of(blocks: Iterator[list[bytes]]) -> tuple[list[bytes], int, tuple[int, str] | None]:
    """The log's first lines, how many of them are the CI system's setup, and the first command, if it is echoed."""
    head: list[bytes] = []
    for lines in blocks:
        head += lines
        if len(head) >= SETUP_LINES:
            break
    texts = clean([_shortened(line) for line in head[:SETUP_LINES]])
    framed = frame().apply(texts)
    echoes = [index for index, role in enumerate(framed.roles[: framed.begin]) if role is Role.ECHO]
    return head, framed.begin, (echoes[-1] + 1, texts[echoes[-1]]) if echoes else None


def clean(raw: list[bytes]) -> list[str]:
    """Lines as a terminal would show them: no colours, of an overwritten line its last state, no timestamp."""
    if not raw:
        return []
    plain = ESCAPES.sub(b"", b"\n".join(raw)).translate(None, CONTROLS).decode("utf-8", "replace")
    return [
        # Nearly all lines are ordinary, and telling so takes a third of the time of looking closely.
        text.rstrip()
        if text.isascii()
        and text[:1] not in FIRST_OF_TIMESTAMP
        and not ("\r" in text or "\t" in text)
        and len(text) <= LONGEST_LINE
        else _final_state(text)
        for text in plain.split("\n")
    ]


def _final_state(text: str) -> str:
    text = HIDDEN.sub("", text)
    if "\r" in text:
        text = next((part for part in reversed(text.split("\r")) if part.strip()), "")
    if "\t" in text:
        text = GITHUB_COLUMNS.sub("", text, count=1) if GITHUB_COLUMNS.match(text) else text
    if text[:1] in FIRST_OF_TIMESTAMP:
        text = TIMESTAMP.sub("", text, count=1)
    return _capped(text.rstrip())


def _capped(text: str) -> str:
    """A long line's beginning and end: Maven, Docker and Go name the cause at the very end of theirs."""
    if len(text) <= LONGEST_LINE:
        return text
    half = LONGEST_LINE // 2
    return text[: half - 3] + " ... " + text[2 - half :]


def _blocks(log: BinaryIO) -> Iterator[list[bytes]]:
    """Whole lines, a block at a time.

    A line longer than a block is not put together: its beginning and its end are kept, which is where a person looks.
    """
    rest = b""
    while block := log.read(BLOCK_BYTES):
        *lines, tail = block.split(b"\n")
        if lines:
            lines[0] = rest + lines[0]
            yield lines if len(lines) > FEW_LINES else [_shortened(line) for line in lines]
            rest = b""
        rest = rest + tail if lines else _shortened(rest + tail)
    yield [rest]


def _shortened(line: bytes) -> bytes:
    half = RAW_LINE_BYTES // 2
    return line if len(line) <= RAW_LINE_BYTES else line[:half] + b" ... " + line[-half:]


def _key(line: bytes) -> int:
    """The same for two lines that differ in digits and hashes only: numbers, times, sizes, commit ids."""
    return hash(line.translate(None, HEX_DIGITS))


def _keys(log: BinaryIO) -> set[int]:
    """What a log says, as hashes; of an endless log the first ``PASSING_LINES_REMEMBERED`` different lines."""
    keys: set[int] = set()
    for lines in _blocks(log):
        if len(keys) < PASSING_LINES_REMEMBERED:
            keys.update(_key(_shortened(line)) for line in lines)
    return keys


class _Kept:
    """Lines kept so far while a log streams by: its last lines, and surroundings of candidates before them."""

    def __init__(self, seen: set[int] | None, before: int) -> None:
        self.total = before
        self._seen = seen
        self._tail: list[bytes] = []
        self._tail_begins = before + 1
        self._edge: list[bytes] = []
        self._times_said: Counter[int] = Counter()
        self._first: list[tuple[int, list[bytes]]] = []
        self._last: deque[tuple[int, list[bytes]]] = deque(maxlen=CANDIDATES * 3 // 4)

    def add(self, lines: list[bytes]) -> None:
        """Takes the next lines; what falls out of the tail is searched for candidates."""
        self.total += len(lines)
        self._tail.extend(lines)
        self._leave(TAIL_LINES + TEARDOWN_LINES, self.total)

    def leave_out_teardown(self) -> int:
        """Cuts the frame off the end, once nothing more follows, and returns how many lines that are."""
        texts = clean([_shortened(line) for line in self._tail[-TEARDOWN_LINES:]])
        after = len(texts) - frame().apply(texts).end
        if after:
            del self._tail[-after:]
        self._leave(TAIL_LINES, self.total - after)
        return after

    def _leave(self, kept: int, last: int) -> None:
        """Shortens the tail, which ends with the line numbered ``last``, to as many lines as shall be kept."""
        if len(self._tail) <= kept:
            return
        leaving, self._tail = self._tail[:-kept], self._tail[-kept:]
        first = last - kept - len(leaving) + 1
        following = self._tail[:LINES_AFTER]
        window = self._edge + leaving + following
        for index in self._candidates(leaving):
            start = max(0, index + len(self._edge) - LINES_BEFORE)
            near = window[start : index + len(self._edge) + LINES_AFTER + 1]
            place = (first + start - len(self._edge), [_shortened(line) for line in near])
            (self._first if len(self._first) < CANDIDATES // 4 else self._last).append(place)
        self._edge = leaving[-LINES_BEFORE:]
        self._tail_begins = last - kept + 1

    def _candidates(self, lines: list[bytes]) -> list[int]:
        """Positions of lines that look like an error or are unseen in the passing log, not said again and again."""
        if self._seen is None:
            found = lines_found(ERROR_LIKE, b"\n".join(lines))
        else:
            found = [
                index for index, line in enumerate(lines) if line.strip() and _key(_shortened(line)) not in self._seen
            ]
        rare = []
        for index in found:
            key = _key(lines[index])
            if key in self._times_said or len(self._times_said) < TEXTS_REMEMBERED:
                self._times_said[key] += 1
            if self._times_said[key] <= SAME_TEXT_AT_MOST:
                rare.append(index)
        return rare

    def lines(self) -> tuple[list[int], list[bytes]]:
        """Numbers and bytes of all kept lines, in order and each once."""
        by_number: dict[int, bytes] = {}
        for first, lines in (*self._first, *self._last):
            by_number.update(enumerate(lines, first))
        before_tail = sorted(number for number in by_number if number < self._tail_begins)
        tail = range(self._tail_begins, self._tail_begins + len(self._tail))
        lines = [*(by_number[number] for number in before_tail), *map(_shortened, self._tail)]
        return [*before_tail, *tail], lines
