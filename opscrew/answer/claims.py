"""Checks a model's sentences against the evidence: what the evidence does not hold does not reach a person as fact.

Every number with its unit, every date and clock time, and everything that looks like a name must stand in the
evidence or in the question. Where a sentence cites evidence, it must stand in what it cites; where it names things, a
number must stand in a fact about one of them. Whoever says why must cite. Understanding of meaning is not attempted:
a sentence of right names and numbers in a wrong relation may pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from opscrew.answer.claim_dates import moments_in, same_moment
from opscrew.answer.claim_names import (
    causal,
    cited_in,
    names_in,
    softened,
    stands_in,
    without_citations,
)
from opscrew.answer.claim_numbers import Quantity, quantities, says_the_same
from opscrew.answer.packet import Fact

ENDS = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[\"“(\[*-]?[A-Z0-9#`])|\n+")
LEADING = re.compile(r"\s*(?:[\[(][ET]\d[ET\d, and-]*[\])]\.?\s*)+")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|approx|no|nr|vs|cf|min|sec|max|incl)\.$", re.IGNORECASE)


ASKED = re.compile(r"\byou (?:asked|wanted to know|wanted|wonder)\b", re.IGNORECASE)
"""Such a sentence speaks of the question, so it must say what stands there."""

DISTINCT = 3
"""Digits from which a bare number is no accident."""


@dataclass(frozen=True)
class Verdict:
    """``problem`` is "" where the sentence may be shown, else what the evidence does not hold."""

    problem: str = ""

    @property
    def holds(self) -> bool:
        return not self.problem


@dataclass(frozen=True)
class _Source:
    """One fact, or the question, read once."""

    id: str
    text: str
    numbers: tuple[Quantity, ...]
    moments: tuple[object, ...]


class ClaimCheck:
    """Over the evidence of one answer. ``known`` are names that exist anywhere, also outside of this evidence."""

    def __init__(self, facts: Sequence[Fact], question: str, zone: tzinfo, known: Collection[str] = ()) -> None:
        self._zone = zone
        self._known = frozenset(name.lower() for name in known if len(name) > 2)
        self._facts = [self._read(fact.id, f"{fact.source} {fact.text}", fact.time) for fact in facts]
        self._question = self._read("", question, None)

    def learn(self, fact: Fact) -> None:
        """Evidence that came while the answer was being written."""
        self._facts.append(self._read(fact.id, f"{fact.source} {fact.text}", fact.time))

    def check(self, sentence: str) -> Verdict:
        """The first thing that the evidence does not hold."""
        cited = cited_in(sentence)
        unknown = [one for one in cited if one not in {fact.id for fact in self._facts}]
        if unknown:
            return Verdict(f"there is no evidence {unknown[0]}")
        if causal(sentence) and not cited:
            return Verdict("it says why without citing evidence")
        scope = [fact for fact in self._facts if fact.id in cited] or self._facts
        if ASKED.search(sentence) and not cited:
            scope = [self._question]
        names = names_in(sentence, self._known)
        problem = self._names(sentence, names, scope) or self._numbers(sentence, names, scope)
        return Verdict(problem or self._dates(sentence, scope))

    def _names(self, sentence: str, names: Sequence[str], scope: Sequence[_Source]) -> str:
        """All stand in the evidence. A name that only the question holds may be told nothing of, and a
        single name beside a build must be seen together with one."""
        builds = [name for name in names if name.startswith("#")]
        states = bool(builds or cited_in(sentence) or quantities(without_citations(sentence)))
        for name in names:
            if any(stands_in(name, source.text) for source in scope):
                continue
            if states or not stands_in(name, self._question.text):
                return f"{name} is not in the evidence"
        known = [name for name in names if name.lower() in self._known]
        if len(known) == 1 and builds and not any(_together(known[0], build, scope) for build in builds):
            return f"{known[0]} is not seen with {builds[0]} in the evidence"
        return ""

    def _numbers(self, sentence: str, names: Sequence[str], scope: Sequence[_Source]) -> str:
        text = without_citations(sentence)
        for moment in moments_in(text):
            text = text.replace(moment.text, " " * len(moment.text))
        about = [one for one in scope if any(stands_in(name, one.text) for name in names)] or list(scope)
        known = sum(name.lower() in self._known for name in names)
        listed = {len(cited_in(sentence)), known, sum(name.startswith("#") for name in names)}
        for said in quantities(text):
            is_list = said.text[:1].isalpha() and said.kind == "count" and said.value in listed
            if is_list or self._is_in(said, about, softened(text[: said.start])):
                continue
            return f"{said.text.strip()} is not in the evidence" + (f" about {names[0]}" if names else "")
        return ""

    def _is_in(self, said: Quantity, sources: Sequence[_Source], tolerance: float) -> bool:
        if any(says_the_same(said, seen, tolerance) for seen in self._question.numbers):
            return True
        seen_here = [seen for source in sources for seen in source.numbers]
        if said.kind == "count" and said.nouns:
            # "5 failed" beside "5 passed, 2 failed": the number must be the one of that word.
            counted = [seen for seen in seen_here if set(seen.nouns[:1]) & set(said.nouns)]
            if counted:
                return any(says_the_same(said, seen, tolerance) for seen in counted)
        if any(says_the_same(said, seen, tolerance) for seen in seen_here):
            return True
        # Versions, ports and parts of names: right when they stand there letter by letter.
        written = said.text.strip()
        is_distinct = said.kind == "count" and ("." in written or len(written) >= DISTINCT)
        letters = re.compile(rf"(?<![\d.]){re.escape(written)}(?![\d.]\d|\d)")
        return is_distinct and any(letters.search(one.text) for one in sources)

    def _dates(self, sentence: str, scope: Sequence[_Source]) -> str:
        for said in moments_in(without_citations(sentence)):
            sources = (*scope, self._question)
            if not any(same_moment(said, seen) for source in sources for seen in source.moments):
                return f"{said} is not in the evidence"
        return ""

    def _read(self, identity: str, text: str, time: datetime | None) -> _Source:
        clocks = f" {time.astimezone(self._zone):%Y-%m-%d %A %H:%M} {time:%H:%M}" if time else ""
        moments = tuple(moments_in(text + clocks))
        return _Source(identity, text.lower(), tuple(quantities(text)), moments)


def _together(one: str, other: str, scope: Sequence[_Source]) -> bool:
    return any(stands_in(one, source.text) and stands_in(other, source.text) for source in scope)


def sentences(text: str) -> list[str]:
    """In order. Abbreviations and numbers with a point do not end a sentence; a list item is one."""
    found: list[str] = []
    for part in ENDS.split(text):
        citations = LEADING.match(part) if found else None
        if citations:  # written after the full stop of the sentence they belong to
            found[-1] = f"{found[-1]} {citations[0].strip()}"
            part = part[citations.end() :]
        part = part.strip()
        if not part:
            continue
        if found and ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {part}"
        else:
            found.append(part)
    return found
