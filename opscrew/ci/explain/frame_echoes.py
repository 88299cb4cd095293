"""How far an echoed command reaches, and whether a line that begins like one is an echo at all.

The shell repeats a command of several lines as it was written, and GitHub lists a whole script. What is taken for a
continuation must be bounded by the echo's own form, since everything in it stops being evidence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_ECHO = 200
"""Lines of one command; a pipe with all its variables has 60."""

DIFF_REACH = 12
"""How far above a line that begins with ``+`` the rest of a diff is looked for."""

REMOVED = re.compile(r"-(?!--)|@@ |\? ")

POWERSHELL_PLACE = re.compile(r"^At (\S.*:\d+|line:\d+) char:\d+$")

GROUP = "##[group]Run "
GROUP_ENDS = "##[endgroup]"
GROUP_DETAILS = re.compile(r"(shell: \S|with:$|env:$)")
"""What GitHub lists below the script of a step. A group without one of them is a program's own."""

OPENS = re.compile(r"(?:\b(then|do|in)|<<-?\s*(['\"]?)(\w+)\2.*)$")
CLOSES = {"then": re.compile(r"^\s*fi\b"), "do": re.compile(r"^\s*done\b"), "in": re.compile(r"^\s*esac\b")}
OPEN_QUOTE = re.compile(r"[\s=(](['\"])(?:(?!\1).)*$")
"""A quote at the beginning of a word that the line does not close. The apostrophe of a word is none."""


def echo_length(texts: Sequence[str], start: int) -> int:
    """How many lines the echo at ``start`` takes; 0 if it only looks like one."""
    first = texts[start]
    if first.startswith("+ ") and (_in_diff(texts, start) or _quoted_by_powershell(texts, start)):
        return 0
    if first.startswith(GROUP):
        return _group_length(texts, start)
    index = start
    while texts[index].endswith("\\") and index + 1 < len(texts) and index - start < LONGEST_ECHO:
        index += 1
    return max(index + 1 - start, _construct_length(texts, start))


def _quoted_by_powershell(texts: Sequence[str], start: int) -> bool:
    """Below where an error happened PowerShell quotes the line of the script, with a ``+`` before it."""
    return start > 0 and POWERSHELL_PLACE.search(texts[start - 1]) is not None


def _group_length(texts: Sequence[str], start: int) -> int:
    """A step's whole listing where it is one, else its first line."""
    details = False
    for index in range(start + 1, min(len(texts), start + LONGEST_ECHO)):
        if texts[index] == GROUP_ENDS:
            return index + 1 - start if details or index == start + 1 else 1
        if texts[index].startswith("##["):
            return 1
        details = details or _is_detail(texts[index])
    return 1


def _is_detail(text: str) -> bool:
    return text == GROUP_ENDS or GROUP_DETAILS.match(text) is not None


def _construct_length(texts: Sequence[str], start: int) -> int:
    """From an ``if``, loop, ``case``, here-document or quote to its end, if that follows before the next echo."""
    closes = _closing(texts[start])
    if closes is None:
        return 1
    for index in range(start + 1, min(len(texts), start + LONGEST_ECHO)):
        if closes.search(texts[index]):
            return index + 1 - start
        if texts[index].startswith(("+ ", "$ ")):
            break
    return 1


def _closing(first: str) -> re.Pattern[str] | None:
    """What ends the construct that this line leaves open."""
    opened = OPENS.search(first)
    if opened is not None:
        return CLOSES.get(opened.group(1) or "") or re.compile(rf"^\s*{re.escape(opened.group(3) or '')}$")
    quote = OPEN_QUOTE.search(first)
    return re.compile(re.escape(quote.group(1))) if quote is not None else None


def _in_diff(texts: Sequence[str], start: int) -> bool:
    """Whether a removed line or a diff's heading stands above this added one, in the same run of lines."""
    for index in range(start - 1, max(-1, start - DIFF_REACH), -1):
        if REMOVED.match(texts[index]):
            return True
        if not texts[index].startswith(("+", " ")):
            return False
    return False
