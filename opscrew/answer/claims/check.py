"""Checks a model's sentences against the evidence: what the evidence does not hold does not reach a person as fact.

Every number with its unit, every date and clock time, and everything that looks like a name must stand in the
evidence or in the question. Where a sentence cites evidence, it must stand in what it cites; where it names things, a
number must stand in a fact about one of them. What is said to have passed or failed, all of it or none, must not be
told otherwise there. Whoever says why must cite. Understanding of meaning is not attempted: a sentence of right names
and numbers in another wrong relation may pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from opscrew.answer.claims.clauses import Part, clauses, parts, without_mark
from opscrew.answer.claims.dates import in_zone, moments_in, same_moment
from opscrew.answer.claims.language import state_stems
from opscrew.answer.claims.names import (
    bound,
    causal,
    denied_wholly,
    is_contrast,
    is_denial,
    is_measure,
    is_subject,
    names_in,
    softened,
    stands_in,
)
from opscrew.answer.claims.numbers import Quantity, bounds, quantities, says_the_same
from opscrew.answer.claims.outcomes import contradiction, miscounted
from opscrew.answer.claims.shares import is_borne_out, shares_in
from opscrew.answer.packet import Fact
from opscrew.model.citations import cited_in

ENDS = re.compile(r"(?<=[.!?])[\"”')\]]*\s+(?=[\"“(\[*-]?[A-Z0-9#`])|\n+")
LEADING = re.compile(r"\s*(?:[\[(][ET]\d[ET\d, and-]*[\])]\.?\s*)+")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|etc|approx|no|nr|vs|cf|min|sec|max|incl)\.$", re.IGNORECASE)


ASKED = re.compile(r"\byou (?:asked|wanted to know|wanted|wonder)\b", re.IGNORECASE)
"""Such a sentence speaks of the question, so it must say what stands there."""

MENTIONED = re.compile(r"\b[ET]\d{1,3}\b")
"""An item of evidence that is spoken of without brackets."""

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
    is_neutral: bool
    """It speaks of nothing that is known by name."""


class ClaimCheck:
    """Over the evidence of one answer. ``known`` are names that exist anywhere, also outside of this evidence."""

    def __init__(self, facts: Sequence[Fact], question: str, zone: tzinfo, known: Collection[str] = ()) -> None:
        self._zone = zone
        self._known = frozenset(name.lower() for name in known if len(name) > 2)
        self._times = frozenset(fact.time for fact in facts)
        self._facts = [self._read(fact.id, f"{fact.source} {fact.text}", fact.time) for fact in facts]
        self._question = self._read("", question, None)

    def learn(self, fact: Fact) -> None:
        """Evidence that came while the answer was being written."""
        self._facts.append(self._read(fact.id, f"{fact.source} {fact.text}", fact.time))

    def check(self, sentence: str) -> Verdict:
        """The first thing that the evidence does not hold."""
        sentence = without_mark(sentence)
        cited = cited_in(sentence)
        ids = {fact.id for fact in self._facts}
        unknown = [one for one in (*cited, *MENTIONED.findall(sentence)) if one not in ids]
        if unknown:
            return Verdict(f"there is no evidence {unknown[0]}")
        if causal(sentence) and not cited:
            return Verdict("it says why without citing evidence")
        if problem := self._denied(sentence):
            return Verdict(problem)
        listed = self._listed(sentence, cited)
        for part in parts(sentence):
            if problem := self._part(sentence, part, listed):
                return Verdict(problem)
        return Verdict()

    def _part(self, sentence: str, part: Part, listed: Collection[int]) -> str:
        scope = [fact for fact in self._facts if fact.id in part.cited] or self._facts
        if ASKED.search(sentence) and not part.cited:
            scope = [self._question]
        names = [name for name in names_in(part.text, self._known) if not MENTIONED.fullmatch(name)]
        problem = self._names(part, names, scope)
        for clause in clauses(part.text) if not problem else ():
            about = names_in(clause, self._known) or names
            told = self._told_of(about, scope, is_cited=bool(part.cited))
            problem = problem or contradiction(clause, [one.text for one in told])
            problem = problem or miscounted(clause, [number for one in told for number in one.numbers])
            problem = problem or self._numbers(clause, about, scope, listed)
            problem = problem or self._dates(clause, about, scope)
        return problem

    def _names(self, part: Part, names: Sequence[str], scope: Sequence[_Source]) -> str:
        """All stand in the evidence. A name that only the question holds may be told nothing of, and a
        single name beside a build must be seen together with one."""
        builds = [name for name in names if name.startswith("#")]
        states = bool(builds or part.cited or quantities(part.text))
        unsaid = not states and is_denial(part.text)
        for name in names:
            if any(stands_in(name, source.text) for source in scope):
                if not any(
                    is_subject(name, part.text, source.text) for source in scope if stands_in(name, source.text)
                ):
                    return f"{name} is only where it happened, by the evidence"
                continue
            is_known = name.lower() in self._known or stands_in(name, self._question.text)
            if is_known and (unsaid or is_contrast(name, part.text)):
                continue
            if states or not stands_in(name, self._question.text):
                return f"{name} is not in the evidence"
        known = [name for name in names if name.lower() in self._known]
        if len(known) == 1 and builds and not any(_together(known[0], build, scope) for build in builds):
            return f"{known[0]} is not seen with {builds[0]} in the evidence"
        return ""

    def _told_of(self, names: Sequence[str], scope: Sequence[_Source], *, is_cited: bool) -> list[_Source]:
        """The facts that speak of all these names; of no names, what is cited."""
        things = [name for name in names if not is_measure(name)]
        if not things:
            return list(scope) if is_cited else []
        return [one for one in scope if all(stands_in(name, one.text) for name in things)]

    def _denied(self, sentence: str) -> str:
        """Whoever says that nothing is known of a thing is wrong where the evidence tells of it."""
        for text in denied_wholly(sentence):
            for name in names_in(f"of {text}", self._known):
                if any(stands_in(name, source.text) for source in self._facts):
                    return f"the evidence does tell of {name}"
        return ""

    def _numbers(self, text: str, names: Sequence[str], scope: Sequence[_Source], listed: Collection[int]) -> str:
        about = self._about(names, scope)
        shares, text = shares_in(_without_moments(text))
        for share in shares:
            if not any(is_borne_out(share, source.numbers) for source in (*about, self._question)):
                return f"{share.text} is not in the evidence" + (f" about {names[0]}" if names else "")
        for said in quantities(text):
            is_list = said.text[:1].isalpha() and said.kind == "count" and said.value in listed
            before = text[: said.start]
            if is_list or self._is_in(said, about, softened(before)) or _is_bound(said, about, bound(before)):
                continue
            return f"{said.text.strip()} is not in the evidence" + (f" about {names[0]}" if names else "")
        return ""

    def _listed(self, sentence: str, cited: Sequence[str]) -> set[int]:
        """What a sentence may count by itself: "two builds, #41 and #42". One thing is no list."""
        names = names_in(sentence, self._known)
        known = sum(name.lower() in self._known for name in names)
        return {len(cited), known, sum(name.startswith("#") for name in names)} - {0, 1}

    def _is_in(self, said: Quantity, sources: Sequence[_Source], tolerance: float) -> bool:
        if any(says_the_same(said, seen, tolerance) for seen in self._question.numbers):
            return True
        seen_here = [seen for source in sources for seen in source.numbers]
        if said.kind == "count" and said.nouns:
            # "5 failed" beside "5 passed, 2 failed": the number must be the one of that word.
            states = set(said.nouns) & state_stems()
            in_state = [one for one in seen_here if states & set(one.nouns)]
            of_noun = [one for one in seen_here if set(one.nouns[:1]) & set(said.nouns)]
            counted = [one for one in in_state if one in of_noun] or in_state or of_noun
            counted = [one for one in counted if one.value != said.whole]
            if counted:
                return any(says_the_same(said, seen, tolerance) for seen in counted)
        if any(says_the_same(said, seen, tolerance) for seen in seen_here):
            return True
        # Versions, ports and parts of names: right when they stand there letter by letter.
        written = said.text.strip()
        is_distinct = said.kind == "count" and written[0].isdigit() and ("." in written or len(written) >= DISTINCT)
        letters = re.compile(rf"(?<![\d.]){re.escape(written)}(?![\d.]\d|\d)")
        return is_distinct and any(letters.search(one.text) for one in sources)

    def _dates(self, text: str, names: Sequence[str], scope: Sequence[_Source]) -> str:
        about = (*self._about(names, scope), self._question)
        for said in moments_in(text):
            meant = {in_zone(said, time, self._zone) for time in self._times} or {said}
            seen = [one for source in about for one in source.moments]
            if not any(same_moment(one, other) for one in meant for other in seen):
                return f"{said} is not in the evidence" + (f" about {names[0]}" if names else "")
        return ""

    def _about(self, names: Sequence[str], scope: Sequence[_Source]) -> list[_Source]:
        """The facts that speak of all these names; of any of them where none speaks of all; else every fact. Of cited
        ones also those that speak of nothing known: "701 times: no space left"."""
        things = [name for name in names if not is_measure(name)]
        having = [[stands_in(name, one.text) for name in things] for one in scope]
        whole = [one for one, found in zip(scope, having, strict=True) if found and all(found)]
        about = whole or [one for one, found in zip(scope, having, strict=True) if any(found)]
        if about and len(scope) < len(self._facts):
            about += [one for one in scope if one.is_neutral and one not in about]
        return about or list(scope)

    def _read(self, identity: str, text: str, time: datetime | None) -> _Source:
        clocks = f" {time.astimezone(self._zone):%Y-%m-%d %A %H:%M}" if time else ""
        moments = tuple(in_zone(one, time, self._zone) if time else one for one in moments_in(text + clocks))
        low = text.lower()
        is_neutral = not any(name in low for name in self._known)
        return _Source(identity, low, tuple(quantities(_without_moments(text))), moments, is_neutral)


def _is_bound(said: Quantity, sources: Sequence[_Source], direction: int) -> bool:
    return direction != 0 and any(bounds(said, seen, direction) for one in sources for seen in one.numbers)


def _without_moments(text: str) -> str:
    for moment in moments_in(text):
        text = text.replace(moment.text, " " * len(moment.text))
    return text


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
