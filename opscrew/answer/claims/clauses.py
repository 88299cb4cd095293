"""Takes a sentence apart into what each citation stands for, and into clauses, so that a number is held against the
thing beside it and not against another that the same sentence names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opscrew.answer.claims.words import SPOKEN
from opscrew.model.citations import CITED, cited_in, without_citations

LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
JOINT = re.compile(
    rf"[,;]\s+(?!\d)|:\s+|\s+(?:and|but|while|whereas|then|although|though)\s+(?!\d|{SPOKEN}\b)",
    re.IGNORECASE,
)
"""No split before a number: "1 minute and 14 seconds", "between 4 and 6"."""
HOLDS_NUMBER = re.compile(rf"(?<![\w#-])\d|\b{SPOKEN}\b", re.IGNORECASE)
LEAST_WORDS = 2
"""Of a part that stands by itself; less is the rest of a list or of an aside."""


@dataclass(frozen=True)
class Part:
    """What a group of citations stands for; ``cited`` is empty where a sentence cites nothing."""

    text: str
    cited: tuple[str, ...]


def parts(sentence: str) -> list[Part]:
    """The text up to each group of citations. What follows the last group belongs to it, and a group right behind
    another is one with it: "… [E1], [E2]"."""
    found: list[Part] = []
    start = 0
    for match in CITED.finditer(sentence):
        text = sentence[start : match.start()]
        cited = tuple(cited_in(match[0]))
        start = match.end()
        if found and len(re.findall(r"\w+", text)) < LEAST_WORDS:
            found[-1] = Part(f"{found[-1].text} {text}", (*found[-1].cited, *cited))
        else:
            found.append(Part(text, cited))
    rest = sentence[start:]
    if not found:
        return [Part(rest, ())]
    found[-1] = Part(f"{found[-1].text} {rest}", found[-1].cited)
    return found


def clauses(text: str) -> list[str]:
    """Split at commas, semicolons, colons and joining words; never inside of a number such as 1,893. What holds no
    digit belongs to what follows: "cart and web restarted 3 and 4 times" is one clause about both."""
    found: list[str] = []
    begun = ""
    for piece in JOINT.split(without_citations(text)):
        begun = f"{begun} {piece}".strip()
        if HOLDS_NUMBER.search(piece):
            found.append(begun)
            begun = ""
    return [*found, begun] if begun else found


def without_mark(sentence: str) -> str:
    """Without the dash or number of a list item, which claims nothing."""
    return LIST_MARK.sub("", sentence)
