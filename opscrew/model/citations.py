"""The marks by which a sentence names its evidence: [E1], (E2, T3), [E4-E6]."""

from __future__ import annotations

import re

MOST_CITED = 40
"""Of one range; a model that loops may write any number."""

CITED = re.compile(r"[\[(]\s*((?:[ET]\d+(?:\s*(?:,|;|and|-|–)\s*)?)+)\s*[\])]")


def cited_in(text: str) -> list[str]:
    """Ids of evidence in square or round brackets, ranges such as E1-E3 written out."""
    found: list[str] = []
    for group in CITED.findall(text):
        for first, last in re.findall(r"([ET]\d+)(?:\s*[-–]\s*([ET]\d+))?", group):
            numbers = range(int(first[1:4]), min(int((last or first)[1:5]), int(first[1:4]) + MOST_CITED) + 1)
            found += [f"{first[0]}{number}" for number in numbers]
    return list(dict.fromkeys(found))


def without_citations(text: str) -> str:
    return CITED.sub(" ", text)
