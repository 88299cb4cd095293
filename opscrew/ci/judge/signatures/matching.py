"""Which signatures the lines of a failure have, with every condition checked.

Owns what is true of all signatures: a word may satisfy one condition only, the later cause of a line is its cause, and
a host that is not found must be a public one before a re-run can be hoped for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from opscrew.ci.explain.lines import ExplainedLine
from opscrew.ci.judge.hosts import host_named, is_public
from opscrew.ci.judge.signatures.catalog import Catalog, Signature, Verdict

NEAR_LINES = 12
"""How far apart two lines may be and still speak of the same thing: the length of a tool's usual error block."""

_RESOLVER = re2.compile(r"[0-9a-z.:\[\]]+:53\b")
"""A name server's address says nothing about where the wanted host is."""

_IDENTIFIER = re2.compile(r"^[\w$-]+$")


@dataclass(frozen=True, slots=True)
class Match:
    """A line and what it was recognised as."""

    line: ExplainedLine
    signature: Signature


def matches_of(lines: Sequence[ExplainedLine], known: Catalog, command: ExplainedLine | None = None) -> list[Match]:
    """Every signature of every line whose conditions hold, in the order of the log. ``command`` printed them."""
    found = []
    for position, line in enumerate(lines):
        candidates = known.candidates(line.text)
        if not candidates:
            continue
        near = _near(lines, position)
        is_local = known.shared.local_address(_RESOLVER.sub("", line.text))
        found += [
            Match(line, signature)
            for signature in candidates
            if not (is_local and signature.verdict is Verdict.TRANSIENT and not signature.local)
            and _holds(signature, line.text, near, known)
            and _is_near(signature, near, command)
        ]
    return found


def _holds(signature: Signature, text: str, near: Sequence[str], known: Catalog) -> bool:
    return (
        (signature.also is None or _also(signature, text, known))
        and (signature.unless is None or not _excluded(signature, text, known))
        and not (signature.yields and _names_a_later_cause(signature, text, known))
        and (not signature.private_host or _private_host(signature, text, near, known))
    )


def _is_near(signature: Signature, near: Sequence[str], command: ExplainedLine | None) -> bool:
    around = "\n".join(near)
    of_command = signature.command is not None and command is not None and signature.command(command.text)
    return bool(of_command or signature.near is None or signature.near(around)) and not (
        signature.near_unless is not None and signature.near_unless(around)
    )


def _also(signature: Signature, text: str, known: Catalog) -> bool:
    """``ConnectionTimeout`` is a name that compilers and schemas print: where the pattern is found in one word only,
    the condition must be found beside that word."""
    assert signature.also is not None
    if not signature.also(text):
        return False
    spans = known.spans(signature, text)
    if not spans or not all(_IDENTIFIER.search(text[start:end]) for start, end in spans):
        return True
    return any(signature.also(_without_word(text, start)) for start, _ in spans)


def _without_word(text: str, inside: int) -> str:
    """Every mention of the word that position ``inside`` lies in is taken out."""
    before = re2.search(r"[\w$-]*$", text[:inside]).group()
    behind = re2.search(r"^[\w$-]*", text[inside:]).group()
    return text.replace(before + behind, " ")


def _excluded(signature: Signature, text: str, known: Catalog) -> bool:
    """A server's answer excludes a blip, unless the line goes on to say that the connection broke."""
    assert signature.unless is not None
    spans = signature.unless.spans(text)
    if signature.verdict is not Verdict.TRANSIENT:
        return bool(spans)
    return any(
        not (known.shared.answer(text[start:end]) and known.shared.cause_follows(text, end)) for start, end in spans
    )


def _names_a_later_cause(signature: Signature, text: str, known: Catalog) -> bool:
    """ "…:test failed: …: Connection reset": the last words of a chain of causes are the cause."""
    spans = known.spans(signature, text)
    return bool(spans) and all(known.shared.cause_follows(text, end) for _, end in spans)


def _private_host(signature: Signature, text: str, near: Sequence[str], known: Catalog) -> bool:
    """The host that is named there, or close to it and best in a line that says the same, is no public service's."""
    host = host_named((text, *sorted(near, key=lambda one: not known.spans(signature, one))))
    return bool(host) and not is_public(host)


def _near(lines: Sequence[ExplainedLine], position: int) -> list[str]:
    number = lines[position].number
    first = last = position
    while first > 0 and number - lines[first - 1].number <= NEAR_LINES:
        first -= 1
    while last + 1 < len(lines) and lines[last + 1].number - number <= NEAR_LINES:
        last += 1
    return [line.text for line in lines[first : last + 1]]
